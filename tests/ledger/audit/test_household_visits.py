"""What the fences of a household name is recomputed: every visit from before, and none behind."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

import pytest

from ledger.audit import audit, rows_of
from ledger.campaigns.frame import household_subject
from ledger.contributions import BY_KIND
from ledger.erasure import erasures as facts
from ledger.erasure.erasures import erasure_id
from tests.ledger.audit.conftest import lost
from tests.ledger.campaigns import a_campaign, a_door_visit
from tests.ledger.examples import NOW, contribute, someone

NUMBER, SUBJECT = "H-0042", household_subject("H-0042")


@pytest.fixture
def steps(town):
    """Audits the log alone: a forged fence has no fence in the vault."""
    return lambda: [(one.code, one.position) for one in audit(rows_of(town))]


@pytest.fixture
def visit(town):
    """Visits the household, with words that are sealed, or without any."""
    worker, campaign = someone(town, "grid_worker"), a_campaign(town, {NUMBER: "1"})
    said = partial(contribute, town, "visit", worker)
    return lambda **words: said(a_door_visit(campaign, NUMBER, **words)).id


def requested():
    return erasure_id(SUBJECT), facts.ErasureRequested(
        subject=SUBJECT, basis="other", staff=False, household=NUMBER
    )


def fenced(*visits, searched=1):
    return erasure_id(SUBJECT), facts.ErasureFenced(
        subject=SUBJECT, prints=(), visits=visits, searched=searched
    )


def completed():
    return erasure_id(SUBJECT), facts.ErasureCompleted(
        subject=SUBJECT, keys=0, rows=0, photos=0, tokens=0
    )


def test_a_visit_that_no_fence_names_is_told(visit, steps, forge):
    """An erasure is not completed while one from before its fence is left out."""
    first, _ = visit(remark="一"), visit(remark="二")
    end = forge(requested(), fenced(first), completed()) + 2
    assert steps() == [("ERASURE", end)]


def test_a_second_fence_may_name_what_the_first_left_out(visit, steps, forge):
    """Together they name all, so it may be completed."""
    first, second = visit(remark="一"), visit()
    forge(requested(), fenced(first), fenced(second), completed())
    assert steps() == []


def test_as_old_logs_did_it_is_right(visit, steps, forge):
    """Fences from before they told how far was searched could miss one; nobody is blamed now."""
    first, _ = visit(remark="一"), visit(remark="二")
    forge(requested(), fenced(first, searched=0), completed())
    assert steps() == []


def test_a_second_fence_names_nothing_from_behind_the_first(visit, steps, forge):
    """What comes later was not asked for; nor may a second fence stand for nothing."""
    first = visit(remark="一")
    forge(requested(), fenced(first))
    later = visit(remark="新住户")
    second = forge(fenced(later))
    assert steps() == [("ERASURE", second)]
    third = forge(fenced())
    assert ("ERASURE", third) in steps()


def test_again_is_asked_only_where_more_was_kept(visit, steps, forge):
    """A visit without words gives no cause, one with words does; and then all are named again."""
    first = visit(remark="一")
    forge(requested(), fenced(first), completed())
    visit()
    assert steps() == []
    too_soon = forge(requested())
    assert steps() == [("ERASURE", too_soon)]


def test_asked_again_it_names_all_of_them(visit, steps, forge):
    """What is kept later is lawfully erased by a second request, whose fence names every visit."""
    first = visit(remark="一")
    forge(requested(), fenced(first), completed())
    later = visit(remark="新住户")
    last = forge(requested(), fenced(later), completed()) + 2
    assert steps() == [("ERASURE", last)]


def test_what_was_said_of_a_visit_later_counts_as_kept(town, visit, steps):
    """A reviewer's words on a visit that was erased are more, and may be erased as well."""
    first = visit(remark="一")
    town.ask_erasure(None, SUBJECT, "other", NOW, household=NUMBER)
    assert town.run_erasure(SUBJECT, NOW).state == "completed"
    reviewer = someone(town, "dispatcher")
    town.review(BY_KIND["visit"], reviewer, first, uuid4(), NOW, tier=None, reason="编造")
    town.ask_erasure(None, SUBJECT, "other", NOW, household=NUMBER)
    assert town.run_erasure(SUBJECT, NOW).state == "completed"
    assert town.store.select_vault(first) == []
    assert steps() == []


@pytest.mark.parametrize("whose", [True, False])
def test_what_hangs_on_a_lost_visit_is_not_told_again(whose, town, visit, forge):
    """A fence that names a visit nobody can read, and a request for its sake, are not accused."""
    first = visit(remark="一")
    at = town.head()
    forge(requested(), fenced(first), completed())
    rows = list(rows_of(town))
    rows[at - 1] = lost(rows[at - 1], whose)
    assert {one.position for one in audit(rows)} == {at}
    later = visit(remark="新住户")
    again = town.head()
    forge(requested(), fenced(first, later), completed())
    rows = list(rows_of(town))
    rows[again - 1] = lost(rows[again - 1], whose)
    assert {one.position for one in audit(rows)} == {again}
