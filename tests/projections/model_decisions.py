"""What the views of redemptions, reversals and the books must answer, in the plainest way."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ledger.coins import (
    AwardReversed,
    CoinsAwarded,
    CoinsExpired,
    CoinsGiven,
    CoinsReceived,
    CoinsSpent,
)
from ledger.facts import Entry
from ledger.reversals import ReversalProposed
from tests.projections.model import amounts, available, debt, held, moment


def redemptions(entries: Sequence[Entry]) -> dict[str, dict]:
    """Every redemption in full by its id, oldest first."""
    found: dict[str, dict] = {}
    for entry in entries:
        topic, fact = entry.fact.topic, msgspec.to_builtins(entry.fact)
        _, _, what = topic.partition(".")
        if not topic.startswith("redemption."):
            continue
        if what in ("requested", "refused"):
            asked = {
                "price": 0, "coins": 0, "merchant_id": None, "districts": [], "reason": "",
                "decide_by": None, "collect_by": None, "decline": None, **fact,
                "id": str(entry.originator_id), "position": entry.position,
                "recorded_at": moment(entry),
            }  # fmt: skip
            del asked["body_digest"]
            found[str(entry.originator_id)] = asked | {"districts": list(asked["districts"])}
        mine = found[str(entry.originator_id)]
        mine["state"] = "requested" if what == "approved" else what
        mine["collect_by"] = fact.get("collect_by", mine["collect_by"])
        if fact.get("sealed"):
            mine["decline"] = fact["sealed"][0]
    return found


def reversals(entries: Sequence[Entry]) -> dict[str, dict]:
    """Every reversal in full by its id, those proposed first standing first."""
    found: dict[str, dict] = {}
    for entry in entries:
        topic, fact = entry.fact.topic, msgspec.to_builtins(entry.fact)
        if isinstance(entry.fact, ReversalProposed):
            found.pop(str(entry.originator_id), None)
            found[str(entry.originator_id)] = {
                "id": str(entry.originator_id), "participant_id": fact["participant_id"],
                "cause": fact["cause"], "reason": fact["reason"], "state": "proposed",
                "by": fact["by"], "decided_by": None, "amount": 0, "debt": 0,
                "districts": list(fact["districts"]), "position": entry.position,
                "recorded_at": moment(entry),
                "sealed": fact["sealed"][0] if fact["sealed"] else None,
            }  # fmt: skip
        elif topic.startswith("reversal."):
            found[str(entry.originator_id)] |= {
                "state": topic.partition(".")[2], "decided_by": fact["by"],
            }  # fmt: skip
        elif isinstance(entry.fact, AwardReversed):
            found[fact["reversal_id"]] |= {"amount": fact["amount"], "debt": fact["debt"]}
    return found


def trial_balance(entries: Sequence[Entry]) -> dict:
    """The books of a history in which everything is as it should be."""
    return {
        "lines": {
            "issued": -amounts(entries, CoinsAwarded),
            "available": available(entries),
            "held": held(entries),
            "debt": -debt(entries),
            "redeemed": amounts(entries, CoinsSpent),
            "expired": amounts(entries, CoinsExpired),
            "reversed": amounts(entries, AwardReversed),
            "transfers": amounts(entries, CoinsGiven) - amounts(entries, CoinsReceived),
        },
        "imbalance": 0, "negative": 0, "position": entries[-1].position,
    }  # fmt: skip
