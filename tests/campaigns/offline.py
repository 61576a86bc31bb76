"""A made-up street whose visits are edited offline, from scripts in a compact notation.

A script has a line for every step::

    v  A outcome=met booklet=2 q1=bad     A logs the visit; it comes first
    e1 A > v   remark=好                  A edits, offline, on top of what A had sent or would send
    b1 B > #1  outcome=by_phone -due      B edits the server's version 1; -field empties it
    b2 B > #e1 booklet=3                  B edits the version that e1 became
    o1 D >> now outcome=refused           D edits online, the newest version there is
    w A withdraw     r D verify     n D refuse     k D close

An arrival is a line of steps in the order they reach the server, ``(v e1)`` in one parcel; ``e1?``
waits when it first comes, ``e1!`` is refused, ``e1=`` was there already. What is not recorded is
sent again until nothing changes. What must stand at the end is said as in a visit: ``a|b`` are
values of which one stands and the others are open clashes, ``-field`` is empty, and a field that is
not named is as the visit said.
"""

from __future__ import annotations

import re
from copy import copy
from typing import Any
from uuid import UUID, uuid4

import msgspec

from ledger.application import Ledger
from ledger.campaigns.campaign import Plan
from ledger.campaigns.listing import NewHousehold
from ledger.campaigns.questionnaire import Question
from ledger.districts import DistrictImported
from ledger.participants import Actor
from tests.ledger.examples import NOW, someone

MATERIALS = ("booklet", "leaflet")
STOCK = 500
DUE = "follow_up_on"
MULTI = ("q2",)
QUESTIONS = [
    {"id": "q1", "zh": "水质如何", "options": ["good", "bad"]},
    {"id": "q2", "zh": "为何", "kind": "multi", "options": ["smell", "rubbish"],
     "ask_if": {"question": "q1", "any_of": ["bad"]}},
    {"id": "q3", "zh": "听说过河长吗", "options": ["yes", "no"]},
]  # fmt: skip
for one in QUESTIONS:
    one["options"] = [{"code": code, "zh": code} for code in one["options"]]
PLACE = {"lon": 112.08, "lat": 32.68, "crs": "wgs84"}
STEP = re.compile(r"(\w+)\s+(\w)\s*(?:(>>?)\s*(\S+))?\s*(.*)")


class Step(msgspec.Struct, frozen=True):
    """One line of a script."""

    name: str
    who: str
    how: str  # visit, offline, online, withdraw, verify, refuse, close
    on: str
    fields: dict[str, Any]


def script_of(text: str) -> dict[str, Step]:
    """The steps of a script by name."""
    found = {}
    for line in text.strip().splitlines():
        name, who, arrow, on, rest = STEP.fullmatch(line.strip()).groups()
        words = {"withdraw", "verify", "refuse", "close"} & {rest}
        how = {">": "offline", ">>": "online"}.get(arrow) or (words.pop() if words else "visit")
        fields = fields_of(rest) if how in ("visit", "offline", "online") else {}
        found[name] = Step(name, who, how, on or "", fields)
    return found


def fields_of(text: str) -> dict[str, Any]:
    """``outcome=met booklet=2 -remark`` by field, as the ledger names them."""
    found = {}
    for word in text.split():
        name, _, value = word.lstrip("-").partition("=")
        found[_field(name)] = None if word.startswith("-") else value_of(name, value)
    return found


def value_of(name: str, text: str) -> Any:
    if name in MATERIALS:
        return int(text)
    if name in MULTI or name in ("topics", "questions"):
        return [part for part in text.split(",") if part]
    if name == "place":
        return {**PLACE, "accuracy": float(text)}
    return f"2026-{text}" if name == "due" else text


def _field(name: str) -> str:
    if name in MATERIALS:
        return f"materials.{name}"
    if re.fullmatch(r"q\d", name):
        return f"answers.{name}"
    return DUE if name == "due" else name


def body_of(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields as the body of a visit or an edit."""
    body: dict[str, Any] = {}
    for field, value in fields.items():
        part, _, key = field.partition(".")
        if value is None:
            body.setdefault("clears", []).append(field)
        elif key:
            body.setdefault(part, {})[key] = value
        else:
            body[part] = value
    return body


class City:
    """A ledger with districts and people, whose campaigns the scripts are played in."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.now = ledger, NOW
        town, grid, other = (
            DistrictImported(code=code, name=code, parent=parent, kind=kind)
            for code, parent, kind in (
                ("110", None, "town"), ("111", "110", "grid"), ("112", "110", "grid")
            )
        )  # fmt: skip
        ledger.import_districts([town, grid, other], NOW)
        districts = {"A": "111", "B": "110", "C": "112", "X": "112"}
        self.people: dict[str, Actor] = {
            name: someone(ledger, "grid_worker", district) for name, district in districts.items()
        }
        self.people["D"] = someone(ledger, "dispatcher")
        self.people["R"] = someone(ledger, "citizen")

    def elsewhere(self, ledger: Ledger) -> City:
        """The same city as another process has it."""
        other = copy(self)
        other.ledger = ledger
        return other

    def campaign(self, households: int) -> UUID:
        """An open campaign with so many households in the grid 111."""
        ledger, by = self.ledger, self.people["D"]
        plan = Plan(
            name="春季走访", topics=("five_waters", "floods"),
            materials=dict.fromkeys(MATERIALS, STOCK),
            questionnaire=msgspec.convert(QUESTIONS, tuple[Question, ...]),
        )  # fmt: skip
        found = ledger.plan_campaign(by, plan, {}, uuid4(), self.now).id
        ledger.list_households(
            found, [NewHousehold(f"H{one:04}", "111") for one in range(households)], self.now
        )
        ledger.allot_stock(by, found, "111", "booklet", STOCK, {}, uuid4(), self.now)
        ledger.open_campaign(by, found, {}, uuid4(), self.now)
        return found
