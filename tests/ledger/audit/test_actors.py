"""Who contributes and reviews must have been registered, in the role, in the district, in time."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from ledger import identity
from ledger.audit.actors import IN_FLIGHT
from ledger.contributions.base import Verified
from ledger.contributions.report import ReportRecorded
from ledger.days import LATE_DAYS_MAX, day_of
from ledger.districts import DistrictImported
from ledger.log import Append
from ledger.participants import RoleGranted, TokenIssued
from tests.ledger.examples import NOW, a_report, contribute, someone


@pytest.fixture
def forge(town):
    """Appends a fact with right hash and version; its position."""

    def write(fact, originator=None, version=0, now=NOW) -> int:
        return town.append([Append(originator or uuid4(), version, [fact])], now)[0].position

    return write


def a_recorded(actor, **fields) -> ReportRecorded:
    """The fact of a report as the actor's token would make it."""
    given = {
        "participant_id": actor.participant_id, "role": actor.role,
        "role_district": actor.district, "districts": (), "earned_on": day_of(NOW),
        "body_digest": "",
    }  # fmt: skip
    return ReportRecorded(**given | fields)


def a_yes(person) -> Verified:
    return Verified(by=person, command_id=uuid4(), body_digest="", tier=1)


def named(found) -> list[tuple[str, int]]:
    return [(one.code, one.position) for one in found]


def test_a_contributor_nobody_registered_is_named(town, findings, forge):
    """A contribution of an invented participant is found, a registered one's is not."""
    citizen = someone(town)
    forge(a_recorded(citizen))
    assert findings() == []
    position = forge(a_recorded(citizen, participant_id=uuid4()))
    assert named(findings()) == [("ACTOR", position)]


def test_a_role_or_district_nobody_granted_is_named(town, findings, forge):
    """Neither another role, nor another district than the one granted, is believed."""
    citizen = someone(town, district="1")
    wrong = ({"role": "enterprise"}, {"role_district": None}, {"role_district": "2"})
    expected = [("ACTOR", forge(a_recorded(citizen, **fields))) for fields in wrong]
    assert named(findings()) == expected


def test_a_role_that_may_not_contribute_is_named(town, findings, forge):
    """A dispatcher holds the role, and still reports nothing."""
    position = forge(a_recorded(someone(town, "dispatcher")))
    assert named(findings()) == [("ACTOR", position)]


def test_a_role_that_was_taken_away_is_named(town, findings, forge):
    """After its end a role is nothing, but for requests that were let in right before."""
    citizen = someone(town)
    town.revoke_role(citizen.participant_id, "citizen", "moved", NOW)
    forge(a_recorded(citizen), now=NOW + IN_FLIGHT / 2)
    assert findings() == []
    for moment in (NOW + 2 * IN_FLIGHT, NOW - 2 * IN_FLIGHT):
        position = forge(a_recorded(citizen), now=moment)
        assert named(findings())[-1] == ("ACTOR", position)


def test_a_reviewer_without_the_role_is_named(town, findings, forge):
    """Neither an invented reviewer, nor somebody who reviews other kinds, is believed."""
    for stranger in (uuid4(), someone(town, "reward_officer").participant_id):
        receipt = contribute(town, "report", someone(town), a_report())
        position = forge(a_yes(stranger), receipt.id, 1)
        assert ("ACTOR", position) in named(findings())


def test_a_reviewer_of_another_district_is_named(town, findings, forge):
    """A dispatcher reviews where they were appointed, and nowhere else."""
    town.import_districts([DistrictImported(code="2", name="县", parent=None, kind="city")], NOW)
    citizen = someone(town, district="1")
    for district, told in (("1", False), (None, False), ("2", True)):
        dispatcher = someone(town, "dispatcher", district).participant_id
        receipt = contribute(town, "report", citizen, a_report())
        position = forge(a_yes(dispatcher), receipt.id, 1)
        assert (("ACTOR", position) in named(findings())) is told


def test_a_token_for_a_role_nobody_granted_is_named(town, findings, forge):
    """A token put into the log by hand gives no role."""
    citizen = someone(town).participant_id
    digest = "0" * 64
    fact = TokenIssued(token_sha256=digest, participant_id=citizen, role="admin", district=None)
    position = forge(fact, identity.token_id(digest))
    assert named(findings()) == [("ACTOR", position)]


def test_a_grant_to_somebody_nobody_registered_gives_nothing(findings, forge):
    """A role for an invented participant does not make one of them."""
    person = uuid4()
    forge(RoleGranted(role="citizen", district=None), person)
    digest = "0" * 64
    fact = TokenIssued(token_sha256=digest, participant_id=person, role="citizen", district=None)
    position = forge(fact, identity.token_id(digest))
    assert named(findings()) == [("ACTOR", position)]


@pytest.mark.parametrize(("days", "told"), [(1, True), (0, False), (-LATE_DAYS_MAX, False),
                                            (-LATE_DAYS_MAX - 1, True)])  # fmt: skip
def test_a_reward_day_outside_the_late_days_is_named(days, told, town, findings, forge):
    """A contribution counts for the day it came in, or one of the thirty before."""
    day = day_of(NOW) + timedelta(days=days)
    position = forge(a_recorded(someone(town), earned_on=day))
    assert named(findings()) == ([("REWARD_DAY", position)] if told else [])


def test_an_unreadable_registration_is_one_finding(town, table, findings):
    """What follows from a damaged registration is not told again for every fact."""
    position = table.first("participant.registered")
    table.change(position, rehash=True, state=b"{}")
    assert named(findings()) == [("CORRUPT_FACT", position)]
