"""What the views must answer, worked out from the list of entries in the plainest way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

import msgspec

from ledger.contributions.base import Recorded, ReviewRefused, Verified
from ledger.facts import Entry
from ledger.participants import ConsentGiven, ConsentWithdrawn, ParticipantRegistered
from ledger.wallet import AwardRefused, CoinsAwarded


def awards(entries: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in entries if isinstance(entry.fact, CoinsAwarded)]


def wallet(entries: Sequence[Entry], who: UUID, today: date) -> dict:
    lots = [
        {"amount": e.fact.amount, "expires_on": e.fact.expires_on.isoformat(),
         "cause": str(e.fact.cause), "rule": e.fact.rule,
         "policy_version": e.fact.policy_version, "position": e.position}
        for e in awards(entries)
        if e.fact.participant_id == who and e.fact.expires_on >= today
    ]  # fmt: skip
    lots.sort(key=lambda lot: (lot["expires_on"], lot["position"]))
    available = sum(lot["amount"] for lot in lots)
    return {
        "participant_id": str(who), "available": available, "held": 0, "debt": 0, "lots": lots,
        "position": entries[-1].position,
    }  # fmt: skip


def statement(entries: Sequence[Entry], who: UUID) -> list[tuple]:
    """(position, amount, total, cause, reasons), newest first."""
    lines, total = [], 0
    for entry in entries:
        fact = entry.fact
        if isinstance(fact, CoinsAwarded | AwardRefused) and fact.participant_id == who:
            amount = getattr(fact, "amount", 0)
            total += amount
            lines.append((entry.position, amount, total, str(fact.cause), list(fact.reasons)))
    return lines[::-1]


def on_the_boards(entries: Sequence[Entry]) -> set[UUID]:
    consents = set()
    for entry in entries:
        fact = entry.fact
        if isinstance(fact, ParticipantRegistered) and "board" in fact.consents:
            consents.add(entry.originator_id)
        elif isinstance(fact, ConsentGiven) and fact.consent == "board":
            consents.add(fact.participant_id)
        elif isinstance(fact, ConsentWithdrawn) and fact.consent == "board":
            consents.discard(fact.participant_id)
    return consents


def board(
    entries: Sequence[Entry], first: date, last: date, district: str | None, role: str | None
) -> list[tuple[str, int]]:
    """(participant, coins), best first; of equals, those who got there first."""
    coins: dict[UUID, int] = defaultdict(int)
    reached: dict[UUID, int] = {}
    for entry in awards(entries):
        fact = entry.fact
        in_place = district is None or district in fact.districts
        if first <= fact.earned_on <= last and in_place and role in (None, fact.role):
            coins[fact.participant_id] += fact.amount
            reached[fact.participant_id] = entry.position
    shown = [who for who in coins if who in on_the_boards(entries)]
    shown.sort(key=lambda who: (-coins[who], reached[who], str(who)))
    return [(str(who), coins[who]) for who in shown]


def contributions(entries: Sequence[Entry]) -> dict[str, dict]:
    """By id: whose, kind, state, verdict, coins, reasons and so on; oldest first."""
    found: dict[str, dict] = {}
    for entry in entries:
        fact, own = entry.fact, str(entry.originator_id)
        if isinstance(fact, Recorded):
            found[own] = {
                "who": fact.participant_id, "kind": fact.topic.split(".")[0], "state": "pending",
                "coins": 0, "reasons": [], "districts": list(fact.districts), "verdict": None,
                "rule": "", "review": None, "position": entry.position, "role": fact.role,
                "recorded_at": f"{entry.recorded_at:%Y-%m-%dT%H:%M:%S}Z",
            }  # fmt: skip
        elif hasattr(fact, "verdict"):
            found[own] |= {
                "state": fact.verdict, "verdict": fact.verdict, "reasons": list(fact.reasons),
            }  # fmt: skip
        elif isinstance(fact, Verified | ReviewRefused):
            found[own]["state"] = "verified" if isinstance(fact, Verified) else "refused"
            for sealed in getattr(fact, "sealed", ()):
                found[own]["review"] = msgspec.to_builtins(sealed)
        elif isinstance(fact, CoinsAwarded | AwardRefused) and str(fact.cause) in found:
            mine = found[str(fact.cause)]
            mine["coins"], mine["rule"] = getattr(fact, "amount", 0), fact.rule
            mine["reasons"] += [code for code in fact.reasons if code not in mine["reasons"]]
    return found
