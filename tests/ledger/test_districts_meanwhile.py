"""Districts that move while a command is decided: it is decided again, and the log stays honest."""

from __future__ import annotations

from contextlib import suppress
from uuid import uuid4

import msgspec
import pytest

from ledger.audit import audit, rows_of
from ledger.campaigns.campaign import Plan
from ledger.districts import DistrictImported
from ledger.errors import Forbidden, UnknownOffer
from ledger.trails.wanted import NewTrail
from tests.ledger.examples import NOW, an_offer, redeem, rewarded, someone
from tests.ledger.trailing import a_trail


def district(code: str, parent: str | None, kind: str) -> DistrictImported:
    return DistrictImported(code=code, name=code, parent=parent, kind=kind)


def plan(ledger):
    dispatcher = someone(ledger, "dispatcher")
    return lambda: ledger.plan_campaign(
        dispatcher, Plan(name="走访", district="T"), {}, uuid4(), NOW
    )


def publish_trail(ledger):
    dispatcher = someone(ledger, "dispatcher")
    wanted = msgspec.convert(a_trail(1, district="T"), NewTrail)
    return lambda: ledger.publish_trail(dispatcher, wanted, {}, uuid4(), NOW)


def publish_offer(ledger):
    officer = someone(ledger, "reward_officer", "C1")
    return lambda: an_offer(ledger, officer, district="T")


def reprice(ledger):
    officer = someone(ledger, "reward_officer", "C1")
    offer = an_offer(ledger, officer, district="T")
    return lambda: ledger.reprice(officer, offer, 5, {}, uuid4(), NOW)


def ask(ledger):
    person = rewarded(ledger)
    offer = an_offer(ledger, someone(ledger, "reward_officer"), district="T")
    return lambda: redeem(ledger, person, offer)


def budget(ledger):
    officer = someone(ledger, "reward_officer", "C1")
    ledger.set_budget(officer, "T", 2026, 50, NOW)  # A first one looks at the whole log.
    return lambda: ledger.set_budget(
        officer, "T", 2026, 100, NOW, request={}, submission_id=uuid4()
    )


@pytest.mark.parametrize("command", [plan, publish_trail, publish_offer, reprice, ask, budget])
def test_a_command_is_decided_by_the_districts_it_is_saved_behind(
    command, ledger, open_ledger, monkeypatch
):
    """A town that another process puts below another county right before the commit is there."""
    ledger.import_districts([
        district("C1", None, "county"), district("C2", None, "county"), district("T", "C1", "town"),
    ], NOW)  # fmt: skip
    run, other, append = command(ledger), open_ledger(), ledger.append

    def late(*words, **more):
        monkeypatch.undo()
        other.import_districts([district("T", "C2", "town")], NOW)
        return append(*words, **more)

    monkeypatch.setattr(ledger, "append", late)
    with suppress(Forbidden, UnknownOffer):  # Whose place it was no longer is may be refused.
        run()
    assert list(audit(rows_of(ledger))) == []
