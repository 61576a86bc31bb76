"""What answers look like, as Structs: the OpenAPI document is made from them.

Where a view's rows are answered as they are stored, the Struct only documents them.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, get_type_hints
from uuid import UUID

import msgspec

from api.auth import services
from ledger.contributions.base import Contribution as Way
from ledger.errors import Erased
from ledger.facts import Sealed
from ledger.history import HistoryEntry
from ledger.settlement import reason_text
from ledger.tracks.judge import Verdict
from ledger.tracks.metrics import Metrics


class Reason(msgspec.Struct, frozen=True):
    """A reason code with its sentence in both languages."""

    code: str
    zh: str
    en: str


def reasons(codes: tuple[str, ...]) -> list[Reason]:
    """The reasons behind a decision, in words."""
    return [Reason(code, text.zh, text.en) for code in codes for text in [reason_text(code)]]


def sealed_words(originator_id: UUID, sealed: dict[str, Any] | None) -> str | None:
    """Words from the vault, as a view names them; None without any, or once they were erased."""
    if sealed is None:
        return None
    try:
        return str(services().ledger.vault.open(originator_id, msgspec.convert(sealed, Sealed)))
    except Erased:
        return None


class Receipt(msgspec.Struct, kw_only=True):
    """What a submission or a review came to; the same again for the same submission.

    ``verdict`` is what a machine found, null where none judged; ``metrics`` is what it measured of
    this submission. ``balance`` is the coins available to the contributor afterwards.
    """

    id: UUID
    position: int
    state: str
    verdict: Verdict | None
    reasons: list[Reason]
    metrics: Metrics | None
    coins: int
    balance: int
    rule: str
    policy_version: str
    allowed_actions: list[str]


class Contribution(msgspec.Struct, kw_only=True):
    """One contribution as it stands, in a list and by itself alike.

    ``verdict`` is what a machine found, null where none judged; ``review_reason`` a reviewer's
    words of refusal, null without them or once erased. ``position`` is that of its first fact,
    ``version`` the newest there is: 1 as recorded, and one more with every edit.
    """

    id: UUID
    kind: str
    role: str
    state: str
    verdict: Verdict | None
    reasons: list[Reason]
    review_reason: str | None
    coins: int
    rule: str
    policy_version: str
    earned_on: date
    recorded_at: datetime
    districts: tuple[str, ...]
    allowed_actions: list[str]
    position: int
    version: int


def headed(way: Way) -> tuple[type[Contribution], type[msgspec.Struct]]:
    """What one way to take part is answered as, by itself and in pages, with its own headline."""
    hints = get_type_hints(way.recorded)
    name = "".join(word.title() for word in way.kind.split("_"))
    headline = msgspec.defstruct(
        f"{name}Headline", [(one, hints[one]) for one in way.headline], kw_only=True,
        namespace={"__doc__": f"What tells one {way.name.en} from another in a list, as "
                              "it stands; times are those the phone told."},
    )  # fmt: skip
    item: Any = msgspec.defstruct(
        f"{name}Item", [("headline", headline)], bases=(Contribution,), kw_only=True,
        namespace={"__doc__": Contribution.__doc__},
    )  # fmt: skip
    page = msgspec.defstruct(
        f"{name}Page", [("items", list[item]), ("next", str | None), ("position", int)],
        namespace={"__doc__": "A page; ``position`` is how far the list had followed the log."},
    )  # fmt: skip
    return item, page


class Registered(msgspec.Struct):
    """Somebody who was registered, and the token that is theirs."""

    participant_id: UUID
    token: str
    position: int


class Me(msgspec.Struct):
    """Who bears the token."""

    participant_id: UUID
    role: str
    district: str | None
    roles: dict[str, str | None]
    consents: list[str]
    alias: str | None


class Consented(msgspec.Struct):
    """A consent as it stands after the command."""

    consent: str
    given: bool
    position: int


class PolicyAnswer(msgspec.Struct):
    """A version of the reward policy: its file, and the same read."""

    version: str
    effective_from: date
    toml: str
    caps: dict[str, int]
    roles: dict[str, Any]
    kinds: dict[str, Any]


class Reach(msgspec.Struct):
    """A stretch of a river."""

    reach_id: UUID
    name: str
    district: str | None
    official_code: str | None
    length_m: int


class ReachPage(msgspec.Struct):
    """A page of reaches, by id; they are looked up in a register, which has no position."""

    items: list[Reach]
    next: str | None


class HistoryPage(msgspec.Struct):
    """A page of the log in its order; ``next`` is the position to ask ``after``."""

    items: list[HistoryEntry]
    next: int | None
