"""Merging: what holds for any history of edits in any order, by itself and in the whole ledger."""

from __future__ import annotations

from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.campaigns.merging import Version, same
from tests.campaigns.books import check_books, plain
from tests.campaigns.histories import (
    FIRST,
    VALUES,
    ancestors,
    histories,
    merged,
    newest,
    outcome,
    script,
)
from tests.campaigns.offline import script_of
from tests.campaigns.playing import Play

NOBODY = UUID(int=0)
EXAMPLES = 12


@settings(max_examples=400, deadline=None)
@given(histories())
def test_no_order_changes_what_people_say(case):
    """In every order the values that stand or wait are those nobody said anything newer on."""
    edits, orders = case
    for order in orders:
        for field, (stands, waits) in outcome(merged(edits, order)).items():
            said = newest(edits, field)
            assert set(plain(field, [stands, *waits])) == set(plain(field, said))
            if len(set(plain(field, said))) == 1:
                assert waits == []
                assert same(field, stands, said[0])


@settings(max_examples=200, deadline=None)
@given(histories(), st.lists(st.sampled_from(sorted(VALUES)), max_size=4))
def test_who_knows_everything_decides(case, fields):
    """An edit on the newest version takes effect in all it says, and leaves no clash of it open."""
    edits, (order, _) = case
    history = merged(edits, order)
    base, said = len(history.versions) + 1, {field: VALUES[field][0] for field in fields}
    assert history.clashing(base, (), said) == ()
    open_before = {clash.field for clash, _ in history.open_clashes()}
    history.add(Version(NOBODY, base, (), said))
    assert {clash.field for clash, _ in history.open_clashes()} == open_before - set(fields)
    assert {field: history.standing()[field] for field in fields} == said


@settings(max_examples=200, deadline=None)
@given(histories())
def test_an_author_sees_what_the_phone_showed(case):
    """What an edit builds on is the visit with the edits of its own branch, whatever else came."""
    edits, (order, _) = case
    history = merged(edits, order)
    for version in history.versions:
        seen = dict(FIRST)
        for one in ancestors(edits, version.by.int):
            seen |= edits[one].said
        assert history.known(version.base, version.chain) == seen


@settings(
    max_examples=EXAMPLES, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(case=histories())
def test_any_history_in_any_order(city, case):
    """Through the whole ledger too: in each order the same is said, and all books are right."""
    edits, orders = case
    steps = script_of(script(edits))
    campaign = city.campaign(len(orders))
    visits = []
    for number, order in enumerate(orders):
        play = Play(city, campaign, f"H{number:04}", steps)
        names = [f"e{one}" for one in order]
        play.send(names[: len(names) // 2])  # Some come before their visit.
        play.send(["v", *names])
        play.settle()
        visits.append(play.visit_id)
        history = city.ledger.history_of(play.visit_id, city.ledger.visit(play.visit_id))
        for field, (stands, waits) in outcome(history).items():
            assert set(plain(field, [stands, *waits])) == set(plain(field, newest(edits, field)))
    check_books(city.ledger, campaign, visits)
