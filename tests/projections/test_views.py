"""What the views answer, on the database alone and on Redis, against a model without a fold."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from ledger.coins import MONEY
from ledger.contributions.base import AwardReopened
from ledger.days import day_of
from ledger.errors import InvalidInput
from ledger.spending.redemptions import STATES
from projections import BY_NAME, VIEWS, balances, contributions, leaderboard, statement
from projections.cursor import BadCursor
from projections.folding import digest_of, fold_batch
from projections.leaderboard import period_of
from projections.store import BUILDING, Head
from projections.view import Rows
from tests.projections import model
from tests.projections.comparing import compare_decisions, pages
from tests.projections.visiting import Story


def compare(source, entries, people: list[UUID]) -> None:
    """Every question to one store, against the model."""
    expected = model.contributions(entries)
    last, half = day_of(entries[-1].recorded_at), len(entries) // 2
    for who in (*people, uuid4()):
        for today in (last, last + timedelta(days=7)):
            assert balances.wallet(source, who, today) == model.wallet(entries, who, today)
        lines = pages(lambda c, n, who=who: statement.statement(source, who, c, n))
        assert lines == model.statement(entries, who)
        early = pages(lambda c, n, who=who: statement.statement(source, who, c, n, half))
        assert early == [line for line in lines if line["position"] <= half]
        own = pages(lambda c, n, who=who: contributions.contributions(source, who, c, n))
        assert [one["id"] for one in own] == [
            key for key in reversed(expected) if expected[key]["who"] == who
        ]
    for key, one in expected.items():
        found = contributions.contribution(source, UUID(key))
        assert {name: found[name] for name in one if name != "who"} == {
            name: value for name, value in one.items() if name != "who"
        }
    compare_waiting(source, expected)
    compare_boards(source, entries, people)
    compare_decisions(source, entries, people)


def compare_waiting(source, expected: dict[str, dict]) -> None:
    for districts in (None, ("g1",), ("c1",), ("g1", "t2"), ("nowhere",)):
        for kinds in (None, ("report",)):
            found = pages(
                lambda c, n, d=districts, k=kinds: contributions.waiting(source, d, k, c, n)
            )
            assert [one["id"] for one in found] == [
                key
                for key, one in expected.items()
                if one["state"] in ("pending", "review")
                and (districts is None or set(districts) & set(one["districts"]))
                and (kinds is None or one["kind"] in kinds)
            ]


def compare_boards(source, entries, people: list[UUID]) -> None:
    new_year = date(2026, 1, 1)
    spans = {
        "day": (new_year, new_year),
        "week": (date(2025, 12, 29), date(2026, 1, 4)),
        "month": (date(2025, 12, 1), date(2025, 12, 31)),
        "year": (new_year, date(2026, 12, 31)),
        "all": (date.min, date.max),
    }
    everything = model.board(entries, date.min, date.max, None, None)
    assert leaderboard.consenting(source) == {UUID(who) for who, _ in everything}
    for granularity, (first, last) in spans.items():
        period = period_of(granularity, min(first, new_year) if first > date.min else new_year)
        for district in (None, "c1", "g1"):
            for role in (None, "grid_worker"):
                asked = (source, granularity, period, district, role)
                expected = [
                    {"rank": rank, "participant_id": who, "coins": coins}
                    for rank, (who, coins) in enumerate(
                        model.board(entries, first, last, district, role), 1
                    )
                ]
                assert leaderboard.board(*asked, limit=99)["entries"] == expected
                assert leaderboard.board(*asked, limit=2)["entries"] == expected[:2]
                for who in people:
                    around = leaderboard.board(*asked, around=who)
                    mine = [one for one in expected if one["participant_id"] == str(who)]
                    assert around["me"] == (mine[0] if mine else None)
                    if mine:
                        at = mine[0]["rank"] - 1
                        assert around["entries"] == expected[max(at - 5, 0) : at + 6]


@pytest.mark.parametrize("seed", range(3))
def test_every_answer_is_that_of_the_model(seed, ledger, stores, follower, history):
    """After a random history every question gets the model's answer from both stores."""
    history.random.seed(seed)
    history.grow(400)
    follower.catch_up()
    for store in stores:
        compare(store, history.entries, history.everybody)


def test_a_late_consent_brings_the_past_along_and_a_withdrawal_takes_it_all_away(
    follower, stores, history
):
    """Whoever consents late appears with all coins; whoever withdraws is on no board at all."""
    history.grow(60)
    for _ in range(20):
        history.change_mind()
        follower.catch_up()
        shown = model.on_the_boards(history.entries)
        rows = [row for row in stores[0].scan(_head(stores[0], "leaderboard")) if row.bucket]
        named = {UUID(row.key.rpartition("/")[2]) for row in rows}
        assert named <= shown
        compare_boards(stores[0], history.entries, history.everybody)


def _head(store, name: str) -> Head:
    return next(one for one in store.heads() if one.view == name and one.state == "live")


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_fold_is_pure(view, history):
    """Folding a history twice, in one piece and entry by entry, gives the same rows and digest."""
    history.grow(400)
    Story(history.ledger, 1).go_on(40)
    entries, digests = list(history.ledger.entries()), []
    for size in (1, 7, len(entries)):
        kept: Rows = {}
        head = Head(view=view.name, version=view.version, generation=1, state=BUILDING)
        for start in range(0, len(entries), size):
            part = entries[start : start + size]
            batch = fold_batch(
                view, head, part, part[-1].position, "",
                lambda keys, kept=kept: {key: kept[key] for key in keys if key in kept},
            )  # fmt: skip
            for change in batch.changes:
                if change.new:
                    kept[change.new.key] = change.new
                else:
                    del kept[change.old.key]
            head = batch.after
        assert head.digest == digest_of(kept.values())
        assert head.rows == len(kept) > 0
        digests.append(head.digest)
    assert len(set(digests)) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_history_has_it_all(history):
    """Every fact of money and of decisions, debts among them, comes up in a random history."""
    history.grow(1800)
    facts = [entry.fact for entry in history.entries]
    wanted = {*MONEY, *STATES, *BY_NAME["reversals"].facts, AwardReopened}
    assert {type(fact) for fact in facts} >= wanted
    for name in ("debt", "to_debt", "debt_parts"):
        assert any(getattr(fact, name, None) for fact in facts), name


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_forged_cursor_is_refused(follower, views, history):
    """A cursor that is garbage, altered, or another list's gets a clear refusal."""
    for _ in range(5):
        history.append([history._award(history.people[0], uuid4())])
    follower.catch_up()
    mine, other = history.people[:2]
    cursor = views.statement(mine, None, 2)["next"]
    assert views.statement(mine, cursor, 2)["items"]
    for forged in ("", "x", "é", cursor[:-3], cursor[3:], cursor * 500, "WyJhIiwiYiIsImMiXQ"):
        with pytest.raises(BadCursor):
            views.statement(mine, forged, 2)
    with pytest.raises(BadCursor):
        views.statement(other, cursor, 2)
    for ask in (views.contributions, views.redemptions, views.reversals):
        with pytest.raises(BadCursor):
            ask(mine, cursor, 2)
    assert views.statement(mine, cursor, 2, through=2)["items"] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_board_that_cannot_be_is_refused(follower, views):
    """An unknown granularity, or a name with odd characters, is refused; others are empty."""
    follower.catch_up()
    for wrong in (("hour", "x"), ("day", "a:b"), ("day", "\0"), ("day", "x", "a/b"), ("day", "")):
        with pytest.raises(InvalidInput):
            views.board(*wrong)
    assert views.board("day", "1999-01-01")["entries"] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_lot_is_good_through_its_last_day(follower, views, history):
    """Coins count on their expiry date and neither count nor show on the next day."""
    who = history.people[0]
    wallet, fact = history._award(who, uuid4())
    last = history.today + timedelta(days=3)
    history.append([(wallet, msgspec.structs.replace(fact, expires_on=last))])
    follower.catch_up()
    assert views.wallet(who, last)["available"] == fact.amount
    gone = views.wallet(who, last + timedelta(days=1))
    assert (gone["available"], gone["lots"]) == (0, [])
