"""The audit of campaigns: frames, visits, credits and stocks that could not have been are named."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import msgspec
import pytest

from ledger.application import Ledger
from ledger.audit import audit, rows_of
from ledger.campaigns.campaign import (
    CampaignClosed,
    CampaignOpened,
    CampaignPlanned,
    StockAllotted,
)
from ledger.campaigns.frame import HouseholdListed, door_id
from ledger.contributions import VISIT
from ledger.contributions.base import ReviewRefused, Verified
from ledger.contributions.credits import Credited
from ledger.contributions.visits import VisitAnnulled, VisitWithdrawn
from ledger.districts import DistrictImported
from ledger.log import Append
from tests.ledger.audit.conftest import lost
from tests.ledger.audit.spenders import signed
from tests.ledger.campaigns import a_campaign, a_door_visit, visit_in_every_way
from tests.ledger.examples import NOW, an_offer, contribute, redeem, rewarded, someone, verify
from tests.ledger.trailing import publish


@pytest.fixture
def round_of(town) -> SimpleNamespace:
    """An open campaign of the town with a worker, a dispatcher and one visit that waits."""
    dispatcher, worker = someone(town, "dispatcher"), someone(town, "grid_worker")
    campaign = a_campaign(town, {"H0": "1", "H1": "1"}, by=dispatcher)
    visit = contribute(town, "visit", worker, a_door_visit(campaign, materials={"booklet": 2}))
    return SimpleNamespace(
        campaign=campaign, dispatcher=dispatcher, worker=worker, visit=visit,
        recorded=town.visit(visit.id).recorded,
    )  # fmt: skip


def named(findings) -> list[tuple[str, int]]:
    return [(one.code, one.position) for one in findings()]


def a_door(campaign: UUID, household: str) -> tuple[UUID, HouseholdListed]:
    listed = HouseholdListed(
        campaign_id=campaign, household=household, grid="1", districts=("1",)
    )
    return door_id(campaign, household), listed


def test_a_household_added_to_an_open_frame_is_named(round_of, forge, findings):
    """The frame stands still once the campaign is open; a door under a wrong id is none either."""
    position = forge(a_door(round_of.campaign, "H9"))
    assert ("FRAME", position) in named(findings)


def test_a_household_listed_at_anothers_door_is_named(town, forge, findings):
    """A household stands at the originator its number names, and once."""
    campaign = a_campaign(town, {"H0": "1"}, opened=False)
    position = forge((uuid4(), a_door(campaign, "H1")[1]))
    assert ("FRAME", position) in named(findings)


@pytest.mark.parametrize(
    ("grid", "districts"), [("9", ("9",)), ("1", ("1", "2")), ("2", ("2",))],
    ids=["unknown", "another-path", "outside"],
)  # fmt: skip
def test_a_household_of_no_such_grid_is_named(grid, districts, town, forge, findings):
    """A household stands in a grid of the campaign's district, with the places above it."""
    rows = [DistrictImported(code=one, name=one, parent=None, kind="grid") for one in ("1", "2")]
    town.import_districts(rows, NOW)
    campaign = a_campaign(town, {"H0": "1"}, opened=False, district="1")
    fact = HouseholdListed(
        campaign_id=campaign, household="H1", grid=grid, districts=districts
    )
    position = forge((door_id(campaign, "H1"), fact))
    assert ("FRAME", position) in named(findings)


def test_an_old_grid_that_is_no_code_is_not_accused(tmp_path):
    """Before there was a rule for a grid's code any text was taken, and such logs are honest."""
    name = str(tmp_path / "gwc.db")
    env = {"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": name}
    with closing(Ledger(env, bytes(32), bytes(32))) as ledger:
        ledger.ensure_policy(NOW)
        campaign = a_campaign(ledger, opened=False)
        fact = HouseholdListed(campaign_id=campaign, household="13800138000", grid="*",
                               districts=("*",))  # fmt: skip
        ledger.append([Append(door_id(campaign, fact.household), 0, [fact])], NOW)
        assert list(audit(rows_of(ledger))) == []


def test_a_campaign_that_opens_with_another_frame_is_named(town, forge, findings):
    """The number of households is that of the frame."""
    dispatcher = someone(town, "dispatcher")
    campaign = a_campaign(town, {"H0": "1"}, opened=False, by=dispatcher)
    fact = CampaignOpened(households=2, **signed(dispatcher.participant_id))
    assert ("CAMPAIGN", forge((campaign, fact))) in named(findings)


def test_steps_out_of_turn_and_by_others_are_named(round_of, forge, findings):
    """A campaign opens once and is closed by somebody who may."""
    twice = CampaignOpened(households=2, **signed(round_of.dispatcher.participant_id))
    first = forge((round_of.campaign, twice))
    second = forge((round_of.campaign, CampaignClosed(**signed(round_of.worker.participant_id))))
    assert named(findings) == [("CAMPAIGN", first), ("ACTOR", second)]


@pytest.mark.parametrize(
    "changes",
    [{"household": "H7"}, {"household": None}, {"grid": "2"}, {"districts": ("2",)},
     {"campaign_id": UUID(int=3)}, {"role_district": "2"}],
)  # fmt: skip
def test_a_visit_to_no_door_of_theirs_is_named(changes, round_of, forge, findings):
    """A household nobody listed, another grid, campaign, or worker's: each is found."""
    fact = msgspec.structs.replace(round_of.recorded, materials={}, **changes)
    position = forge((uuid4(), fact))
    assert position in [one.position for one in findings() if one.code in ("VISIT", "ACTOR")]


def test_a_visit_after_the_end_is_named(town, round_of, forge, findings):
    """A visit that claims a time after the campaign closed could not have been taken in."""
    later = NOW + timedelta(hours=1)
    town.close_campaign(round_of.dispatcher, round_of.campaign, {}, uuid4(), later)
    fact = msgspec.structs.replace(round_of.recorded, materials={})
    position = forge((uuid4(), fact), moment=later + timedelta(hours=1))
    assert named(findings) == [("VISIT", position)]


def withdrawn(round_of, **changes) -> VisitWithdrawn:
    names = ("participant_id", "earned_on", "districts", "campaign_id", "household")
    told = {name: getattr(round_of.recorded, name) for name in names}
    return VisitWithdrawn(**{**signed(round_of.worker.participant_id), **told, **changes})


@pytest.mark.parametrize("wrong", ["by", "late", "other", "claimed late", "claimed", "none"])
def test_a_withdrawal_that_could_not_be_is_named(wrong, round_of, forge, findings, town):
    """By somebody else, after the window, of another visit: each is found, a right one not."""
    changes = {"by": {"by": round_of.dispatcher.participant_id}, "other": {"household": "H1"},
               "claimed": {"claimed_at": NOW + timedelta(hours=24)},
               "claimed late": {"claimed_at": NOW + timedelta(hours=25)}}  # fmt: skip
    moment = NOW + timedelta(hours={"late": 25}.get(wrong, 26 if "claimed" in wrong else 1))
    fact = withdrawn(round_of, **changes.get(wrong, {}))
    position = forge((round_of.visit.id, fact), moment=moment)
    found = [one for one in named(findings) if one[0] != "QUOTA"]
    assert found == ([] if wrong in ("none", "claimed") else [("VISIT", position)])


def test_a_decided_visit_is_neither_withdrawn_nor_changed(town, round_of, forge, findings, table):
    """What was rewarded stands: a withdrawal of it is out of place."""
    verify(town, round_of.visit, round_of.dispatcher)
    position = forge((round_of.visit.id, withdrawn(round_of)))
    assert ("OUT_OF_PLACE", position) in named(findings)


def test_a_credit_without_its_award_is_named(round_of, forge, findings):
    """What counts stands behind an award and nowhere else."""
    fact = Credited(
        cause=round_of.visit.id, participant_id=round_of.worker.participant_id, mark="first"
    )
    position = forge((door_id(round_of.campaign, "H1"), fact))
    assert ("CREDIT", position) in named(findings)


@pytest.mark.parametrize("change", ["delete", "mark", "cause"])
def test_a_credit_that_is_missing_or_other_is_named(change, town, round_of, table, findings):
    """Taken away or altered, hash made anew, the credit behind an award is found."""
    verify(town, round_of.visit, round_of.dispatcher)
    head = table.head()
    if change == "delete":
        table.delete(head)
    else:
        state = table.read(head).state
        words = {"mark": (b'"first"', b'"other"'),
                 "cause": (str(round_of.visit.id).encode(), str(uuid4()).encode())}  # fmt: skip
        table.change(head, rehash=True, state=bytes(state).replace(*words[change]))
    assert "CREDIT" in [code for code, _ in named(findings)]


def test_a_stock_the_store_counts_otherwise_is_named(town, round_of, table, findings):
    """What is used of a material is what the visits handed out, edits and withdrawals included."""
    assert named(findings) == []
    town.withdraw_visit(round_of.worker, round_of.visit.id, {}, uuid4(), NOW)
    assert named(findings) == []
    key = f"material/{round_of.campaign}/booklet"
    table.run("UPDATE quotas SET used = used + 1 WHERE key = ?", key)
    assert "QUOTA" in [code for code, _ in named(findings)]


def test_a_refusal_and_its_annulment_belong_together(town, round_of, forge, table, findings):
    """A visit annulled without a refusal, or refused without being annulled, is found."""
    names = ("participant_id", "earned_on", "districts", "campaign_id", "household")
    told = {name: getattr(round_of.recorded, name) for name in names}
    first = forge((round_of.visit.id, VisitAnnulled(**told)))
    refusal = ReviewRefused(**signed(round_of.dispatcher.participant_id))
    forge((uuid4(), Credited(cause=uuid4(), participant_id=uuid4(), mark="x")))
    second = forge((round_of.visit.id, refusal))
    found = [one for one in named(findings) if one[0] == "VISIT"]
    assert found == [("VISIT", first), ("VISIT", second)]


def test_an_honest_visit_with_a_clock_at_the_end_of_the_calendar_is_not_accused(
    town, round_of, findings
):
    """What was claimed is kept as it was said, and has no day in Shanghai."""
    body = a_door_visit(round_of.campaign, recorded_at="0001-01-01T00:00:00+14:00")
    contribute(town, "visit", round_of.worker, body)
    assert named(findings) == []


def test_stock_allotted_below_what_was_handed_out_is_named(town, round_of, forge, findings):
    """A grid is not allotted less than its visits have handed out; an honest allotment is not
    named, nor a visit afterwards that takes nothing."""
    allotted = StockAllotted(
        grid="1", material="booklet", count=2, districts=("1",),
        **signed(round_of.dispatcher.participant_id),
    )  # fmt: skip
    forge((round_of.campaign, allotted))
    assert named(findings) == []
    position = forge((round_of.campaign, msgspec.structs.replace(
        allotted, count=1, command_id=uuid4()
    )))  # fmt: skip
    contribute(town, "visit", round_of.worker, a_door_visit(
        round_of.campaign, "H1", materials={"booklet": 0}
    ))  # fmt: skip
    assert named(findings) == [("QUOTA", position)]


def test_a_review_of_what_was_not_the_newest_is_named(town, round_of, findings, table):
    """The version that a reviewer says to have seen is the newest there was."""
    seen = {"tier": 1, "reason": "", "seen": 1}
    town.review(VISIT, round_of.dispatcher, round_of.visit.id, uuid4(), NOW, **seen)
    assert named(findings) == []
    (position,) = table.run("SELECT max(position) FROM events WHERE topic = ?", Verified.topic)[0]
    state = bytes(table.read(position).state).replace(b'"seen":1', b'"seen":2')
    table.change(position, rehash=True, state=state)
    assert named(findings) == [("VISIT", position)]


LOST = [(DistrictImported, 1), (CampaignPlanned, 0), (CampaignOpened, 0), (HouseholdListed, 0)]


@pytest.mark.parametrize("whose", [True, False])
@pytest.mark.parametrize(("kind", "nth"), LOST)
def test_what_hangs_on_a_lost_row_of_a_campaign_is_not_told_again(kind, nth, whose, ledger):
    """Where a district, a plan, an opening or a door cannot be read that is the finding, and not
    every household, visit and street behind it, nor trails, offers and budgets."""
    ledger.import_districts([
        DistrictImported(code="1", name="市", parent=None, kind="city"),
        DistrictImported(code="11", name="格", parent="1", kind="grid"),
    ], NOW)  # fmt: skip
    visit_in_every_way(ledger, someone(ledger, "dispatcher"), "11")
    a_campaign(ledger, {"H0": "11"}, district="11")
    publish(ledger, district="11")
    officer = someone(ledger, "reward_officer", "1")
    redeem(ledger, rewarded(ledger), an_offer(ledger, officer, district="11"))
    ledger.set_budget(officer, "11", 2026, 100, NOW, request={}, submission_id=uuid4())
    rows = list(rows_of(ledger))
    assert list(audit(rows)) == []
    index = [n for n, row in enumerate(rows) if row.topic == kind.topic][nth]
    rows[index] = lost(rows[index], whose)
    told = {one.position for one in audit(rows) if one.code != "VERSION"}  # That one is missing.
    assert told == {index + 1}
