"""What is earned, at the boundaries, on both databases, through the real write path."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from ledger.coins import AwardRefused, CoinsAwarded
from ledger.districts import DistrictImported
from ledger.errors import FutureTime
from tests.ledger.examples import (
    NOW,
    a_noisy_walk,
    a_reach,
    a_report,
    a_visit,
    a_walk,
    contribute,
    someone,
    verify,
)


@pytest.fixture
def ledger(ledger):
    ledger.import_reaches([a_reach()], NOW)
    return ledger


@pytest.mark.parametrize(
    ("metres", "seconds", "coins", "reason"),
    [
        (500, 19 * 60 + 59, 0, "too_brief"),
        (499, 20 * 60, 0, "too_short"),
        (500, 20 * 60, 2, None),
        (599, 20 * 60, 2, None),
        (600, 20 * 60, 3, None),
        (1300, 20 * 60, 10, None),
        (2000, 25 * 60, 10, "cap_patrol"),
    ],
)
def test_a_patrol_earns_by_the_published_numbers(ledger, metres, seconds, coins, reason):
    """20 minutes and 500 m earn 2 coins, each further full 100 m one more, at most 10 a day."""
    receipt = contribute(ledger, "patrol", someone(ledger), a_walk(metres, seconds, NOW))
    assert (receipt.coins, receipt.balance) == (coins, coins)
    assert receipt.reasons == ((reason,) if reason else ())
    assert receipt.state == ("valid" if coins else "rejected")


def test_the_month_cap_binds_on_day_31_of_a_month_of_full_days(ledger):
    """30 days of 45 coins make 1,350, so the 31st day of a full month earns nothing."""
    citizen, reviewer = someone(ledger), someone(ledger, "dispatcher")
    earned = []
    for day in range(1, 32):
        noon = datetime(2026, 5, day, 4, 0, tzinfo=UTC)
        patrol = contribute(
            ledger, "patrol", citizen, a_walk(1300, 1500, noon, offset_m=4 + day), noon
        )
        report = contribute(ledger, "report", citizen, a_report(), noon)
        paid = verify(ledger, report, reviewer, noon, tier=3)
        earned.append((patrol.coins, paid.coins, paid.reasons))
    assert earned[:30] == [(10, 35, ("cap_day",))] * 30
    assert earned[30] == (0, 0, ("cap_day", "cap_month"))
    assert ledger.wallet(citizen.participant_id).available(NOW.date()) == 1350


def test_the_next_month_earns_again(ledger):
    """The month's count starts anew on the first, by the calendar of Shanghai."""
    citizen, reviewer = someone(ledger), someone(ledger, "dispatcher")
    last_minute = datetime(2026, 5, 31, 15, 59, tzinfo=UTC)
    first_minute = last_minute + timedelta(minutes=1)
    for moment in (last_minute, first_minute):
        receipt = contribute(ledger, "report", citizen, a_report(), moment)
        assert verify(ledger, receipt, reviewer, moment, tier=3).coins == 45


@pytest.mark.parametrize(("tier", "coins"), [(1, 10), (2, 30), (3, 45)])
def test_a_verified_report_earns_by_its_tier(ledger, tier, coins):
    """10 coins times 1, 3 or 5; the gravest is cut by the day's limit."""
    receipt = contribute(ledger, "report", someone(ledger), a_report())
    assert (receipt.state, receipt.coins) == ("pending", 0)
    paid = verify(ledger, receipt, someone(ledger, "dispatcher"), tier=tier)
    assert (paid.state, paid.coins, paid.rule) == ("verified", coins, f"report.tier-{tier}")


def test_visits_are_paid_three_times_a_day(ledger):
    """A confirmed visit earns 2 coins, at most 6 a day; nobody home earns none."""
    worker, reviewer = someone(ledger, "grid_worker"), someone(ledger, "dispatcher")
    outcomes = ["met", "nobody_home", "met", "met", "met"]
    coins = []
    for number, outcome in enumerate(outcomes):
        visit = contribute(ledger, "visit", worker, a_visit(f"H-{number}", outcome))
        coins.append(verify(ledger, visit, reviewer).coins)
    assert coins == [2, 0, 2, 2, 0]


@pytest.mark.parametrize(
    ("role", "reason", "rule"),
    [
        ("village_chief", "role_not_eligible", "role.eligible"),
        ("cleaner", "own_duty", "role.duty"),
    ],
)
def test_a_refused_award_names_its_rule(ledger, role, reason, rule):
    """Nobody earns for their own paid duty, and village chiefs are off: stored, with the rule."""
    receipt = contribute(ledger, "patrol", someone(ledger, role), a_walk(800, 1500, NOW))
    assert (receipt.state, receipt.coins, receipt.reasons) == ("valid", 0, (reason,))
    refused = list(ledger.entries())[-1].fact
    assert isinstance(refused, AwardRefused)
    assert (refused.rule, refused.reasons) == (rule, (reason,))


def test_the_same_minutes_are_paid_once(ledger):
    """Two patrols that share a minute earn once, whatever banks they were on."""
    citizen = someone(ledger)
    first = contribute(ledger, "patrol", citizen, a_walk(700, 1500, NOW - timedelta(minutes=10)))
    second = contribute(ledger, "patrol", citizen, a_walk(700, 1500, NOW, offset_m=-30))
    assert (first.coins, second.coins, second.reasons) == (4, 0, ("time_overlap",))


def test_an_award_tells_policy_rule_expiry_and_cause(ledger):
    """Every coin is explained by the fact that made it."""
    receipt = contribute(ledger, "patrol", someone(ledger), a_walk(700, 1500, NOW))
    award = list(ledger.entries())[-1].fact
    assert isinstance(award, CoinsAwarded)
    assert (award.policy_version, award.rule) == ("2026-01", "patrol.length")
    assert award.cause == receipt.id
    assert award.expires_on.isoformat() == "2027-12-31"


def test_a_patrol_without_a_known_river_waits_for_a_reviewer(open_ledger):
    """Where no river was imported nobody can say how near it was: a person looks at it."""
    ledger = open_ledger()
    ledger.ensure_policy(NOW)
    receipt = contribute(ledger, "patrol", someone(ledger), a_walk(700, 1500, NOW))
    assert (receipt.state, receipt.reasons) == ("review", ("no_river_map",))
    assert verify(ledger, receipt, someone(ledger, "dispatcher")).coins == 4


def test_a_patrol_sent_in_too_late_earns_nothing(ledger):
    """More than 30 days after the walk it is refused with its reason."""
    late = contribute(
        ledger, "patrol", someone(ledger), a_walk(700, 1500, NOW - timedelta(days=31))
    )
    assert (late.state, late.reasons) == ("rejected", ("too_old",))


def test_a_forged_sending_time_moves_no_reward_day(ledger):
    """A sending time ahead of now is refused; one too far back is not believed."""
    citizen = someone(ledger)
    body = a_walk(1300, 1500, NOW)
    for ahead in (NOW + timedelta(days=1), datetime.max.replace(tzinfo=UTC)):
        with pytest.raises(FutureTime):
            contribute(ledger, "patrol", citizen, {**body, "device": {"sent_at": ahead}})
    ancient = {"sent_at": datetime.min.replace(tzinfo=UTC)}
    receipt = contribute(ledger, "patrol", citizen, {**body, "device": ancient})
    award = list(ledger.entries())[-1].fact
    assert (receipt.coins, award.earned_on) == (10, NOW.date())


def test_an_old_walk_with_an_equally_old_clock_is_too_old(ledger):
    """A sending time that is months back does not make a walk of then one of today."""
    then = NOW - timedelta(days=400)
    body = {**a_walk(1300, 1500, then), "device": {"sent_at": then.isoformat()}}
    receipt = contribute(ledger, "patrol", someone(ledger), body)
    assert (receipt.state, receipt.coins, receipt.reasons) == ("rejected", 0, ("too_old",))


def test_a_clock_set_back_does_not_hide_an_overlap(ledger):
    """The same minutes by a phone that is a day behind are the same minutes."""
    citizen, day = someone(ledger), timedelta(days=1)
    contribute(ledger, "patrol", citizen, a_walk(900, 1500, NOW))
    behind = a_walk(900, 1500, NOW - day, offset_m=-20)
    behind["device"] = {"sent_at": (NOW - day).isoformat()}
    again = contribute(ledger, "patrol", citizen, behind)
    assert (again.coins, again.reasons) == (0, ("time_overlap",))


def test_a_handful_of_fixes_is_looked_at_by_a_person(ledger):
    """Five points in twenty minutes are no walk that a machine could vouch for."""
    body = a_walk(1300, 1200, NOW)
    body["track"] = {key: values[::10] for key, values in body["track"].items()}
    assert len(body["track"]["times"]) == 5
    receipt = contribute(ledger, "patrol", someone(ledger), body)
    assert (receipt.state, receipt.reasons) == ("review", ("too_few_fixes",))


def test_a_copy_made_even_and_moved_by_ten_centimetres_is_known_again(ledger):
    """Re-timing somebody's fixes to one exact pace does not make them one's own."""
    walk = a_noisy_walk(NOW)
    contribute(ledger, "patrol", someone(ledger), walk)
    count = len(walk["track"]["coordinates"])
    walk["track"]["coordinates"] = [[x + 1e-6, y] for x, y in walk["track"]["coordinates"]]
    start = NOW - timedelta(minutes=25)
    step = timedelta(minutes=25) / (count - 1)
    walk["track"]["times"] = [(start + number * step).isoformat() for number in range(count)]
    copy = contribute(ledger, "patrol", someone(ledger), walk)
    assert (copy.state, copy.reasons) == ("rejected", ("replayed_track",))


def test_a_duty_is_the_persons_whatever_token_they_use(ledger):
    """A cleaner who also holds a citizen's token does not earn on the reach they are paid for."""
    cleaner = someone(ledger, "cleaner")
    ledger.issue_token("citizen", NOW, participant=cleaner.participant_id)
    citizen = msgspec.structs.replace(cleaner, role="citizen")
    receipt = contribute(ledger, "patrol", citizen, a_walk(800, 1500, NOW))
    assert (receipt.coins, receipt.reasons) == (0, ("own_duty",))


@pytest.mark.parametrize(
    ("reach", "cleaner", "coins"), [("town", "grid", 0), ("grid", "town", 0), ("other", "grid", 5)]
)
def test_own_duty_is_a_matter_of_places_that_overlap(open_ledger, reach, cleaner, coins):
    """A reach of the town around the grid is the cleaner's own; one of another town is not."""
    ledger = open_ledger()
    ledger.ensure_policy(NOW)
    tree = [("c", None, "city"), ("town", "c", "town"), ("grid", "town", "grid")]
    tree.append(("other", "c", "town"))
    ledger.import_districts(
        [DistrictImported(code=c, name=c, parent=p, kind=k) for c, p, k in tree], NOW
    )
    ledger.import_reaches([a_reach(reach)], NOW)
    worker = someone(ledger, "cleaner", cleaner)
    assert contribute(ledger, "patrol", worker, a_walk(800, 1500, NOW)).coins == coins


def test_a_copy_under_another_reach_meets_its_original(ledger):
    """Tracks are compared by where they are, not by the reach that was declared."""
    near = uuid4()
    line = tuple((x, y + 0.0003) for x, y in a_reach().lines[0])
    ledger.import_reaches(
        [msgspec.structs.replace(a_reach(), reach_id=near, name="旁河", lines=(line,))], NOW
    )
    walk = a_noisy_walk(NOW)
    assert contribute(ledger, "patrol", someone(ledger), walk).coins
    walk["track"]["coordinates"] = [[x + 1e-6, y] for x, y in walk["track"]["coordinates"]]
    copy = contribute(ledger, "patrol", someone(ledger), {**walk, "reach_id": str(near)})
    assert (copy.state, copy.reasons) == ("rejected", ("replayed_track",))
