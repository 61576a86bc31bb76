"""One story on purpose, step by step held against the model: where each guard is needed.

Short enough to be played once for every mutant; the machine plays everything else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.money import city as cast
from tests.money.city import City
from tests.money.trading import Trading

AN, BO = cast.CITIZENS[:2]
EVA, GAO, IVY, KAI = (hands[0] for hands in (
    cast.REVIEWERS, cast.OFFICERS, cast.APPROVERS, cast.MERCHANTS))  # fmt: skip


def tell(found: Callable[[], City], ids: Mapping[str, UUID]) -> None:
    """Play the story in a new city; an AssertionError says where it and the model part."""
    game_class: Any = type("Told", (Trading,), {
        "found": staticmethod(found), "ids": ids, "reached": Counter(),
        "note": lambda self, what: None,
    })  # fmt: skip
    game = game_class()
    game.begin()
    try:
        for _ in steps(game):
            game.books.check(game.model, game.today)
            game.books.check_views(game.model, game.today)
        game.books.check_all_rows(game.model)
    finally:
        game.city.close()


def steps(game: Trading) -> Iterator[None]:
    yield from (step() for step in (
        # Two lots with different last days; the shop has three of what costs ten.
        lambda: earned(game, "first", 3),
        lambda: later(game, 365),
        lambda: earned(game, "second", 3),
        lambda: game.offer(KAI, "tea", {"price": 10, "stock": 3}),
        lambda: game.offer(GAO, "trees", {"price": 5, "stock": None, "kind": "donation"}),
        # Held, spent, given back, and sold out.
        lambda: game.ask(AN, "one", "tea"),
        lambda: game.hand_out(KAI, "one"),
        lambda: game.hand_out(KAI, "one"),
        lambda: game.ask(AN, "two", "tea"),
        lambda: game.ask(AN, "three", "tea"),
        lambda: game.ask(AN, "four", "tea"),
        lambda: game.give_up(AN, "three"),
        lambda: game.give_up(AN, "three"),
        lambda: game.give(AN, "trees", 5),
        lambda: game.give(AN, "team", 40),
        lambda: game.ask(BO, "of the team", "tea", 1, "team"),
        # The first award is taken back when most of it is spent; the hold that lapses pays.
        lambda: game.accuse(GAO, "proposal", "first"),
        lambda: game.judge_award(IVY, "proposal", True),
        lambda: game.judge_award(IVY, "proposal", True),
        lambda: later(game, 31),
        lambda: game.ask(AN, "too late", "tea"),
        lambda: lapsed(game),
        lambda: earned(game, "third", 3),
        # Coins past their day are nobody's, whether or not that was written.
        lambda: later(game, 365 * 2),
        lambda: game.ask(AN, "of expired coins", "tea"),
        lambda: expired(game),
        # A budget that a reversal gives back to.
        lambda: game.budget(GAO, None, game.today.year, 40),
        lambda: earned(game, "fourth", 2),
        lambda: earned(game, "waiting", 2, BO),
        lambda: game.accuse(GAO, "proposal again", "fourth"),
        lambda: game.judge_award(IVY, "proposal again", True),
        lambda: game.budget(GAO, None, game.today.year, 41),
        # Whatever was sent is sent again, right behind what came of it and long after.
        lambda: earned(game, "last", 1, BO),
        lambda: game.accuse(GAO, "proposal at once", "last"),
        lambda: game.change(GAO, "trees", "reprice", 4),
        lambda: game.change(KAI, "tea", "restock", 4),
        lambda: [game.repeat(sent, sent.body) for sent in list(game.sent)],
    ))  # fmt: skip


def earned(game: Trading, name: str, tier: int, hand: cast.Hand = AN) -> None:
    game.report(hand, name)
    game.review(name, EVA, tier)


def later(game: Trading, days: int) -> None:
    game.city.now += timedelta(days=days)


def lapsed(game: Trading) -> None:
    names = game.model.lapse(game.today)
    ended = [str(one) for one in game.city.ledger.lapse_all(game.city.now)]
    assert sorted(ended) == sorted(str(game.names[name]) for name in names)


def expired(game: Trading) -> None:
    lost = game.model.expire(game.today)
    written = list(game.city.ledger.expire_all(game.today, game.city.now))
    assert sum(one.amount for one in written) == sum(lost.values())
