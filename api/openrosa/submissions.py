"""Submissions (提交): a filled-in form as the visit it tells of, and when by the phone's clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any
from uuid import UUID

from api.openrosa.instances import Instance
from api.openrosa.sheets import QUESTION, material
from api.schemas import TYPE, UNKNOWN, load
from ledger.campaigns.campaign import Campaign
from ledger.contributions.base import Times
from ledger.contributions.visit import VisitBody
from ledger.days import SHANGHAI
from ledger.errors import FieldError, InvalidInput

TALK = "talk/"
PHOTO = "photo"
PLAIN = ("household", "outcome", "follow_up_on", "remark")
HALF_DAY, NEAR = timedelta(hours=12), timedelta(hours=1)


def visit_of(instance: Instance, campaign_id: UUID, campaign: Campaign) -> VisitBody:
    """The body of ``POST /v1/visits`` with the same content; raises InvalidInput per field."""
    left = dict(instance.values)
    for name in ("start", "end", PHOTO):
        left.pop(name, None)
    content: dict[str, Any] = {
        "submission_id": str(instance.submission_id), "campaign_id": str(campaign_id),
    }  # fmt: skip
    content |= {name: left.pop(name) for name in PLAIN if name in left}
    content["materials"] = {
        name: count for number, name in enumerate(campaign.plan.materials, 1)
        if (count := _number(left.pop(f"materials/{material(number)}", "0"))) != 0
    }  # fmt: skip
    content["topics"] = left.pop(f"{TALK}topics", "").split()
    content["answers"] = {
        one.id: text if one.kind == "single" else text.split()
        for one in campaign.questions if (text := left.pop(f"{TALK}{QUESTION}{one.id}", ""))
    }  # fmt: skip
    if "place" in left:
        content["place"] = _place(left.pop("place"))
    if left:
        raise InvalidInput([
            FieldError(path, UNKNOWN, "表单中没有这一项。", "The form has no such field.")
            for path in sorted(left)
        ])  # fmt: skip
    _, body = load(VisitBody, content)
    visit: VisitBody = body
    return visit


def times_of(instance: Instance, date: str | None, now: datetime) -> Times:
    """When it happened, by the form's own ``end``, and when it was sent, by the request's Date."""
    said = instance.values.get("end") or instance.values.get("start")
    return Times(_moment(said) if said else None, _sent(date, now) if date else None)


def _moment(text: str) -> datetime:
    """A time as a phone writes it; without an offset it is the city's."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput([
            FieldError("end", TYPE, "不是有效的时间。", "It is not a time.")
        ]) from None  # fmt: skip
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def _sent(date: str, now: datetime) -> datetime | None:
    """The time in a Date header; None for what is none.

    ODK Collect writes its hours from 1 to 12 without saying which half of the day (seen in its
    source in 2026), so what is right but for half a day is taken for right.
    """
    try:
        sent = parsedate_to_datetime(date)
        sent = sent if sent.tzinfo else sent.replace(tzinfo=now.tzinfo)
        for meant in (sent - HALF_DAY, sent + HALF_DAY):
            if abs(now - meant) <= NEAR:
                return meant
    except (ValueError, OverflowError):
        return None
    return sent


def _number(text: str) -> int | str:
    """A whole number; what is none stays text, for the schema to complain of."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else text


def _place(text: str) -> dict[str, float]:
    """A geopoint, «latitude longitude altitude accuracy», which phones measure in WGS-84."""
    try:
        lat, lon, *more = [_finite(float(one)) for one in text.split()]
    except ValueError:
        raise InvalidInput([
            FieldError("place", TYPE, "位置无效，请重新定位。", "It is no place; locate again.")
        ]) from None  # fmt: skip
    accuracy = {"accuracy": more[1]} if len(more) > 1 and more[1] > 0 else {}
    return {"lon": lon, "lat": lat, **accuracy}


def _finite(number: float) -> float:
    if not isfinite(number):
        raise ValueError
    return number
