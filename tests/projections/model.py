"""What the views must answer, worked out from the list of entries in the plainest way."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

import msgspec

from ledger.coins import (
    AwardRefused,
    AwardReversed,
    CoinsAwarded,
    CoinsExpired,
    CoinsGiven,
    CoinsHeld,
    CoinsReceived,
    CoinsReleased,
    CoinsSpent,
)
from ledger.contributions.base import Recorded, ReviewRefused, Verified
from ledger.facts import Entry
from ledger.participants import ConsentGiven, ConsentWithdrawn, ParticipantRegistered


def of(entries: Iterable[Entry], *kinds: type, who: UUID | None = None) -> list[Entry]:
    """The entries of these facts, of one participant or of all."""
    return [
        entry for entry in entries
        if isinstance(entry.fact, kinds) and who in (None, entry.fact.participant_id)
    ]  # fmt: skip


def amounts(entries: Iterable[Entry], kind: type, field: str = "amount") -> int:
    """The sum of a field of all facts of a kind, which may be a number, parts or lots."""
    found = [getattr(entry.fact, field) for entry in of(entries, kind)]
    return sum(
        one if isinstance(one, int) else sum(part.amount for part in one) for one in found
    )


def debt(entries: Iterable[Entry]) -> int:
    paid = amounts(entries, CoinsAwarded, "to_debt") + amounts(entries, CoinsReleased, "debt_parts")
    return amounts(entries, AwardReversed, "debt") - paid


def held(entries: Iterable[Entry]) -> int:
    over = amounts(entries, CoinsSpent) + amounts(entries, CoinsReleased)
    return amounts(entries, CoinsHeld) - over


def available(entries: Iterable[Entry]) -> int:
    """With the coins in it that have expired where nobody wrote that down yet."""
    into = (
        amounts(entries, CoinsAwarded) - amounts(entries, CoinsAwarded, "to_debt")
        + amounts(entries, CoinsReleased, "parts") + amounts(entries, CoinsReceived, "lots")
    )  # fmt: skip
    out_of = sum(
        amounts(entries, kind, "parts")
        for kind in (CoinsHeld, CoinsExpired, AwardReversed, CoinsGiven)
    )
    return into - out_of - amounts(entries, CoinsReleased, "debt_parts")


def left(entries: Iterable[Entry]) -> Counter:
    """What is left of each lot of one wallet, by (version of the fact, expiry)."""
    coins: Counter = Counter()
    for entry in entries:
        fact = entry.fact
        sign = 1 if isinstance(fact, CoinsReleased) else -1
        for part in getattr(fact, "parts", ()):
            coins[part.lot, part.expires_on] += sign * part.amount
        for part in getattr(fact, "debt_parts", ()):
            coins[part.lot, part.expires_on] -= part.amount
        for lot in getattr(fact, "lots", ()):
            coins[entry.originator_version, lot.expires_on] += lot.amount
        if isinstance(fact, CoinsAwarded):
            coins[entry.originator_version, fact.expires_on] += fact.amount - fact.to_debt
    return coins


def expiries(fact: CoinsAwarded | CoinsReceived) -> list[date]:
    awarded = isinstance(fact, CoinsAwarded)
    return [fact.expires_on] if awarded else [lot.expires_on for lot in fact.lots]


def wallet(entries: Sequence[Entry], who: UUID, today: date) -> dict:
    mine = of(entries, *MONEY, who=who)
    coins = left(mine)
    lots = [
        {
            "amount": coins[e.originator_version, last], "expires_on": last.isoformat(),
            "cause": str(getattr(e.fact, "cause", None) or e.fact.donation_id),
            "rule": getattr(e.fact, "rule", "donation"),
            "policy_version": getattr(e.fact, "policy_version", ""),
            "position": e.position, "lot": e.originator_version,
        }
        for e in of(mine, CoinsAwarded, CoinsReceived)
        for last in expiries(e.fact)
    ]  # fmt: skip
    lots = [one for one in lots if one["amount"] and one["expires_on"] >= today.isoformat()]
    lots.sort(key=lambda lot: (lot["expires_on"], lot["position"]))
    return {
        "participant_id": str(who), "available": sum(lot["amount"] for lot in lots),
        "held": held(mine), "debt": debt(mine), "lots": lots, "position": entries[-1].position,
    }  # fmt: skip


WORDS = {
    CoinsAwarded: "awarded", AwardRefused: "refused", CoinsHeld: "held", CoinsSpent: "spent",
    CoinsReleased: "returned", CoinsExpired: "expired", AwardReversed: "reversed",
    CoinsGiven: "given", CoinsReceived: "received",
}  # fmt: skip
MONEY = tuple(WORDS)


def statement(entries: Sequence[Entry], who: UUID) -> list[dict]:
    """Every line in full, newest first."""
    lines, mine = [], of(entries, *MONEY, who=who)
    for number, entry in enumerate(mine, 1):
        fact, total = entry.fact, available(mine[:number])
        stored = msgspec.to_builtins(fact)
        of_which = (stored.get(f"{name}_id") for name in ("redemption", "donation", "reversal"))
        line = {
            "amount": total - available(mine[: number - 1]), "total": total,
            "what": WORDS[type(fact)], "coins": stored.get("amount", 0),
            "of": next(filter(None, of_which), None), "offer_id": None, "cause": None,
            "kind": "", "rule": "", "policy_version": "", "reasons": [], "earned_on": None,
            "expires_on": None, "reason": "", "recorded_at": moment(entry),
            "position": entry.position,
        }  # fmt: skip
        line |= {name: stored[name] for name in line if name in stored and name != "amount"}
        lines.append(line | {"reasons": list(line["reasons"])})
    return lines[::-1]


def moment(entry: Entry) -> str:
    """When it was recorded, as JSON says it."""
    return f"{entry.recorded_at:%Y-%m-%dT%H:%M:%S}Z"


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
    for entry in of(entries, CoinsAwarded, AwardReversed):
        fact = entry.fact
        in_place = district is None or district in fact.districts
        if first <= fact.earned_on <= last and in_place and role in (None, fact.role):
            sign = -1 if isinstance(fact, AwardReversed) else 1
            coins[fact.participant_id] += sign * fact.amount
            reached[fact.participant_id] = entry.position
    consents = on_the_boards(entries)
    shown = [who for who in coins if coins[who] and who in consents]
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
                "recorded_at": moment(entry),
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
            before = [code for code in mine["reasons"] if code != "budget_used_up"]
            mine["reasons"] = before + [code for code in fact.reasons if code not in before]
        elif isinstance(fact, AwardReversed) and str(fact.cause) in found:
            found[str(fact.cause)]["coins"] = 0
            found[str(fact.cause)]["reasons"].append("award_reversed")
    return found
