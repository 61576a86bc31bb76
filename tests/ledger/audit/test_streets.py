"""Forged streets: the audit says who may log one, of what, and that one command is one street."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest

from ledger.audit import audit, rows_of
from ledger.campaigns.streets import StreetLogged, street_id
from ledger.contributions.visits import VisitRecorded
from tests.ledger.audit.conftest import lost
from tests.ledger.campaigns import a_campaign
from tests.ledger.examples import NOW, someone

STREET = ["H0", "H1", "H2"]


@pytest.fixture
def worker(town):
    return someone(town, "grid_worker")


@pytest.fixture
def campaign(town):
    return a_campaign(town, dict.fromkeys(STREET, "1"))


@pytest.fixture
def log(town, worker, campaign, forge):
    """Forges a street behind so many visits to a door of it, each commit a minute later."""
    town.nobody_home(worker, campaign, STREET, uuid4(), NOW)
    visit = next(
        one.fact for one in town.entries()
        if isinstance(one.fact, VisitRecorded) and one.fact.campaign_id == campaign
    )  # fmt: skip
    minutes = iter(range(1, 100))

    def street(at=None, by=worker, visits=1, **changed) -> int:
        person = by.participant_id
        fact = StreetLogged(**{
            "by": person, "command_id": uuid4(), "body_digest": "ab" * 32,
            "campaign_id": campaign, "households": 2, **changed,
        })  # fmt: skip
        made = msgspec.structs.replace(visit, participant_id=person, role=by.role)
        commit = [(uuid4(), made) for _ in range(visits)]
        commit.append((at or street_id(fact.command_id), fact))
        return forge(*commit, moment=NOW + timedelta(minutes=next(minutes))) + visits

    return street


def test_a_street_is_of_a_campaign_and_by_who_logs_visits(town, log, findings):
    """One by a dispatcher, one of no campaign and one elsewhere are found; one that could have
    been logged is not."""
    log()
    log(visits=2)
    assert findings() == []
    wrong = {
        log(by=someone(town, "dispatcher"), visits=0): {"ACTOR", "VISIT"},
        log(campaign_id=uuid4()): {"VISIT"},
        log(at=uuid4()): {"OUT_OF_PLACE"},
    }
    told = findings()
    assert {one.position for one in told} == wrong.keys()
    for position, codes in wrong.items():
        assert {one.code for one in told if one.position == position} == codes


def test_one_command_is_one_street(log, findings):
    """A second street at the place of the first is found."""
    command = uuid4()
    log(command_id=command)
    position = log(command_id=command)
    assert [(one.code, one.position) for one in findings()] == [("OUT_OF_PLACE", position)]


@pytest.mark.parametrize("visits", [0, 3])
def test_a_street_stands_behind_its_visits(visits, log, findings):
    """One of two households without any visit in its commit is found, and one with three."""
    position = log(visits=visits)
    assert [(one.code, one.position) for one in findings()] == [("VISIT", position)]


@pytest.mark.parametrize("whose", [True, False])
def test_a_street_whose_visit_cannot_be_read_is_not_told_again(whose, town, log):
    """That the row is lost is the finding."""
    position, rows = log(), list(rows_of(town))
    rows[position - 2] = lost(rows[position - 2], whose)
    assert {one.position for one in audit(rows)} == {position - 1}
