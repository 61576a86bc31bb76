"""The questionnaire as data: which can be asked, and which answers it takes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.campaigns.questionnaire import Question, chosen, faults, wrong_answers


def a_question(id: str = "q1", *options: str, **more: Any) -> dict[str, Any]:
    codes = options or ("good", "bad")
    return {"id": id, "zh": "问", "options": [{"code": one, "zh": "甲"} for one in codes], **more}


def asked(*questions: dict[str, Any]) -> tuple[Question, ...]:
    return msgspec.convert(list(questions), tuple[Question, ...])


def ask_if(question: str, *codes: str) -> dict[str, Any]:
    return {"ask_if": {"question": question, "any_of": list(codes)}}


# As 庆元 asked in 2018: q3 only whom q2 concerns, q4 only who says in q3 what it was.
SURVEY = asked(
    a_question("q1", "good", "bad", required=True),
    a_question("q2", "yes", "no", dont_know=False),
    a_question("q3", "walk", "clean", kind="multi", **ask_if("q2", "yes")),
    a_question("q4", "often", "once", required=True, **ask_if("q3", "clean")),
)


def told(answers: dict[str, Any], questions: tuple[Question, ...] = SURVEY) -> dict[str, str]:
    """The code of what is wrong, by path."""
    return {one.path: one.code for one in wrong_answers(questions, answers)}


RIGHT: dict[str, dict[str, Any]] = {
    "the required one alone": {"q1": "good"},
    "don't know": {"q1": "dont_know"},
    "one of several": {"q1": "bad", "q2": "yes", "q3": ("walk",)},
    "several and what follows": {"q1": "bad", "q2": "yes", "q3": ("clean", "walk"), "q4": "once"},
    "don't know of several": {"q1": "bad", "q2": "yes", "q3": ("dont_know",)},
    "not asked on": {"q1": "bad", "q2": "no"},
    "asked, not answered": {"q1": "bad", "q2": "yes"},
}
WRONG: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "nothing where one is required": ({}, {"answers.q1": "required"}),
    "required one left out": ({"q2": "no"}, {"answers.q1": "required"}),
    "required behind a skip rule": (
        {"q1": "good", "q2": "yes", "q3": ("clean",)}, {"answers.q4": "required"}
    ),
    "no such question": ({"q1": "good", "q9": "x"}, {"answers.q9": "unknown_question"}),
    "no such option": ({"q1": "fine"}, {"answers.q1": "unknown_option"}),
    "no don't know here": ({"q1": "good", "q2": "dont_know"}, {"answers.q2": "unknown_option"}),
    "a list for one choice": ({"q1": ("good",)}, {"answers.q1": "wrong_type"}),
    "one choice for a list": (
        {"q1": "good", "q2": "yes", "q3": "walk"}, {"answers.q3": "wrong_type"}
    ),
    "an empty list": ({"q1": "good", "q2": "yes", "q3": ()}, {"answers.q3": "duplicate"}),
    "the same twice": (
        {"q1": "good", "q2": "yes", "q3": ("walk", "walk")}, {"answers.q3": "duplicate"}
    ),
    "don't know beside something": (
        {"q1": "good", "q2": "yes", "q3": ("walk", "dont_know")}, {"answers.q3": "dont_know_alone"}
    ),
    "answered what is skipped": (
        {"q1": "good", "q2": "no", "q3": ("walk",)}, {"answers.q3": "skipped_question"}
    ),
    "skipped since what it asks about is not answered": (
        {"q1": "good", "q3": ("walk",)}, {"answers.q3": "skipped_question"}
    ),
    "skipped since what it asks about is skipped": (
        {"q1": "good", "q2": "no", "q3": ("clean",), "q4": "once"},
        {"answers.q3": "skipped_question", "answers.q4": "skipped_question"},
    ),
    "skipped since what it asks about is wrong": (
        {"q1": "good", "q2": "maybe", "q3": ("walk",)},
        {"answers.q2": "unknown_option", "answers.q3": "skipped_question"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_are_taken(name):
    """Answers that keep to the questions, their options and the skip rules pass."""
    assert told(RIGHT[name]) == {}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answers_are_named(name):
    """Each wrong answer is named by its path and its code, and nothing else is."""
    answers, wanted = WRONG[name]
    assert told(answers) == wanted


def test_every_complaint_speaks_both_languages():
    """A worker reads what is wrong in Chinese and in English."""
    for answers, _ in WRONG.values():
        for one in wrong_answers(SURVEY, answers):
            assert one.zh
            assert one.en


FAULTS: dict[str, tuple[tuple[Question, ...], dict[str, str]]] = {
    "an id twice": (
        asked(a_question(), a_question()), {"questionnaire[1].id": "duplicate"}
    ),
    "an option twice": (
        asked(a_question("q1", "a", "a")), {"questionnaire[0].options": "duplicate"}
    ),
    "don't know as an option": (
        asked(a_question("q1", "a", "dont_know")), {"questionnaire[0].options": "duplicate"}
    ),
    "asks on a question there is not": (
        asked(a_question("q1", **ask_if("q0", "good"))),
        {"questionnaire[0].ask_if.question": "unknown_question"},
    ),
    "asks on a later question": (
        asked(a_question("q1", **ask_if("q2", "good")), a_question("q2")),
        {"questionnaire[0].ask_if.question": "unknown_question"},
    ),
    "asks on itself": (
        asked(a_question("q1", **ask_if("q1", "good"))),
        {"questionnaire[0].ask_if.question": "unknown_question"},
    ),
    "asks on an option there is not": (
        asked(a_question("q1"), a_question("q2", **ask_if("q1", "good", "fine"))),
        {"questionnaire[1].ask_if.any_of": "unknown_option"},
    ),
    "asks on a don't know that is not offered": (
        asked(a_question("q1", dont_know=False), a_question("q2", **ask_if("q1", "dont_know"))),
        {"questionnaire[1].ask_if.any_of": "unknown_option"},
    ),
    "two faults at once": (
        asked(a_question(), a_question("q1", "a", "a")),
        {"questionnaire[1].id": "duplicate", "questionnaire[1].options": "duplicate"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_a_questionnaire_are_named(name):
    """What cannot be asked is found when it is planned, each fault by its path."""
    questions, wanted = FAULTS[name]
    assert {one.path: one.code for one in faults(questions)} == wanted


def test_a_questionnaire_without_faults_passes():
    """The survey with two skip rules behind each other, and don't know as one, can be asked."""
    assert faults(SURVEY) == []
    assert faults(asked(a_question("q1"), a_question("q2", **ask_if("q1", "dont_know")))) == []
    assert faults(()) == []


@pytest.mark.parametrize(
    "broken",
    [
        a_question("Q1"), a_question("1q"), a_question("q-1"), a_question("q1\n"), a_question(""),
        a_question("q" * 41), a_question("q1", "好"), a_question(kind="free"),
        {**a_question(), "zh": " "}, {**a_question(), "options": []}, {**a_question(), "more": 1},
        a_question(ask_if={"question": "q0", "any_of": []}),
    ],
)  # fmt: skip
def test_malformed_questions_are_refused(broken):
    """Ids and codes are short names, wordings are not blank, and nothing unknown is taken."""
    with pytest.raises(msgspec.ValidationError):
        asked(broken)


def test_what_was_chosen_is_a_list_of_codes():
    """One choice, several, none: always the codes."""
    assert chosen(None) == ()
    assert chosen("good") == ("good",)
    assert chosen(("a", "b")) == ("a", "b")


CODES = st.sampled_from(["good", "bad", "yes", "no", "walk", "clean", "often", "once", "dont_know"])


@given(st.dictionaries(
    st.sampled_from(["q1", "q2", "q3", "q4", "q9"]), CODES | st.lists(CODES, max_size=3).map(tuple),
))  # fmt: skip
def test_what_passes_is_what_a_form_could_have_asked(answers):
    """Walked through like a form, right answers answer only what is asked and all that must be."""
    if wrong_answers(SURVEY, answers):
        return
    said: dict[str, Any] = {}
    for one in SURVEY:
        answer = answers.get(one.id)
        rule = one.ask_if
        if rule is None or set(chosen(said.get(rule.question))) & set(rule.any_of):
            assert answer is not None or not one.required
            assert answer is None or set(chosen(answer)) <= set(one.codes)
        else:
            assert answer is None
        said |= {one.id: answer} if answer is not None else {}
    assert said == answers
