"""Survey results: what is told of an answer gives away no small group, however one subtracts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import product

import pytest

from ledger.campaigns.questionnaire import Option, Question
from ledger.campaigns.survey import GROUP_MIN, QuestionResult, Tally, shown

MOST = 26


def a_question(kind: str = "single", options: int = 2, *, dont_know: bool = True) -> Question:
    codes = tuple(Option(code=f"a{number}", zh="甲") for number in range(options))
    return Question(id="q", zh="问", kind=kind, options=codes, dont_know=dont_know)


def told(question: Question, counts: tuple[int, ...], answered: int) -> QuestionResult | None:
    tally = Tally(
        people=answered, asked={"q": answered},
        codes={"q": dict(zip(question.codes, counts, strict=True))},
    )  # fmt: skip
    results = shown([question], tally)
    return results[0] if results else None


def surveys(question: Question) -> Iterator[tuple[tuple[int, ...], int]]:
    """Every possible result of a question of a few people: counts by code, and who answered."""
    codes = len(question.codes)
    for counts in product(range(MOST), repeat=codes):
        if question.kind == "single":
            if sum(counts) <= MOST:
                yield counts, sum(counts)
            continue
        alone = counts[-1] if question.dont_know else 0
        chosen = counts[:-1] if question.dont_know else counts
        for others in range(max(chosen), min(sum(chosen), MOST - alone) + 1):
            yield counts, alone + others


@pytest.mark.parametrize(
    ("kind", "options", "dont_know"),
    [("single", 2, False), ("single", 2, True), ("single", 3, True), ("multi", 1, True),
     ("multi", 2, True), ("multi", 2, False)],
)  # fmt: skip
def test_no_sum_gives_a_small_group_away(kind, options, dont_know):
    """Of all results that look the same, what is left out may be any of four numbers at least.

    Even for one who knows that everybody answered; else it may be any from none to four.
    """
    question = a_question(kind, options, dont_know=dont_know)
    possible: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    looks: dict[str, QuestionResult] = {}
    for counts, answered in surveys(question):
        result = told(question, counts, answered)
        if result is not None:
            possible[repr(result)].append(counts)
            looks[repr(result)] = result
    for look, several in possible.items():
        result = looks[look]
        if max(one or 0 for one in (result.answered, *result.counts.values())) > MOST / 2:
            continue  # Not all that look like it were made up.
        for place, code in enumerate(question.codes):
            found = {counts[place] for counts in several}
            if result.counts[code] is None:
                assert len(found & set(range(GROUP_MIN))) >= GROUP_MIN - 1, (look, code, found)


def test_five_options_of_four_are_not_given_away():
    """20 people, four on each of five options: a total of 20 would tell all, so less is told."""
    question = a_question(options=5, dont_know=False)
    result = told(question, (4, 4, 4, 4, 4), 20)
    assert result.answered == 15
    assert set(result.counts.values()) == {None}


@pytest.mark.parametrize("people", range(GROUP_MIN))
def test_a_place_of_few_people_is_not_shown(people):
    """Of fewer than five people nothing is told at all, not even that they answered."""
    tally = Tally(people=people, asked={"q": people}, codes={"q": {"a0": people}})
    assert shown([a_question()], tally) is None


def test_what_is_told_is_never_more_than_there_is():
    """Every number told is a multiple of five that so many people at least stand behind."""
    question = a_question(options=3)
    for counts in product((0, 1, 4, 5, 9, 10, 23), repeat=4):
        result = told(question, counts, sum(counts))
        if result is None:
            continue
        pairs = [*zip(result.counts.values(), counts, strict=True), (result.answered, sum(counts))]
        for number, true in pairs:
            assert number is None or (0 < number <= true and number % GROUP_MIN == 0)
        for number, true in pairs[:-1]:
            assert number == (true - true % GROUP_MIN or None)


def test_the_whole_less_its_parts_gives_nothing_away():
    """A town and its grids but a hidden one: what is left for that may be one of three at least."""
    question = a_question(dont_know=False)
    possible = defaultdict(set)
    few = [one for one in product(range(GROUP_MIN), repeat=2) if sum(one) < GROUP_MIN]
    for shown_grid, hidden in product(product(range(MOST), repeat=2), few):
        town = tuple(map(sum, zip(shown_grid, hidden, strict=True)))
        look = repr([told(question, one, sum(one)) for one in (town, shown_grid)])
        possible[look].add(hidden)
    assert min(len({one[0] for one in several}) for several in possible.values()) >= 3


def test_one_more_answer_seldom_shows():
    """Asked again after each answer, at most every fifth changes what is told of its code."""
    question, counts = a_question(options=1), [0, 0]
    changes, before = 0, None
    for number in range(100):
        counts[number % 2] += 1
        now = told(question, tuple(counts), sum(counts))
        told_codes = now and now.counts
        changes += told_codes != before
        before = told_codes
    assert changes <= 100 / GROUP_MIN + 1


def test_withdrawn_answers_leave_no_trace():
    """Counts that were taken back are as if they had never been given."""
    tally, fresh = Tally(), Tally()
    for _ in range(7):
        tally.add({"q": "a0"}, 1)
        fresh.add({"q": "a0"}, 1)
    tally.add({"q": ["a1", "a0"], "p": "yes"}, 1)
    tally.add({"q": ["a0", "a1"], "p": "yes"}, -1)
    questions = [a_question()]
    assert shown(questions, tally) == shown(questions, fresh)
    assert tally.people == fresh.people


def test_a_question_nobody_was_asked_tells_nothing():
    """A question without answers is all left out, and so is one that the tally does not know."""
    result = told(a_question(options=1), (0, 0), 0)
    assert result is None
    other = shown([a_question(options=1)], Tally(people=9))
    assert other == [QuestionResult("q", None, {"a0": None, "dont_know": None})]
