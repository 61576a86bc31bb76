"""The questionnaire (问卷) of a campaign as data: questions, skip rules, and what answers may say.

The shape follows the survey that 庆元 ran in 2018: one or several choices, questions that only
those are asked who gave a certain answer before, and 不清楚 ("don't know") as an answer of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec

from ledger.errors import FieldError
from ledger.words import READABLE

DONT_KNOW = "dont_know"
QUESTIONS_MAX, OPTIONS_MAX = 60, 30
QUESTIONNAIRE_BYTES_MAX = 48_000
"""As JSON in UTF-8; with the longest of all else that a plan says, an entry of the log holds it."""

# Names of XML elements as well, so that a form for phones can be made from them.
Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$(?!\n)")]
Translation = Annotated[str, msgspec.Meta(max_length=200, pattern=rf"^$|{READABLE}")]
Wording = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=READABLE)]
Answer: TypeAlias = str | tuple[str, ...]
"""The code of an option, or several for a question with several choices."""
Answers: TypeAlias = dict[str, Answer]


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer that may be chosen."""

    code: Code
    zh: Wording
    en: Translation = ""


class AskIf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A skip rule (跳转): ask only who answered an earlier question with one of these codes."""

    question: Code
    any_of: Annotated[tuple[Code, ...], msgspec.Meta(min_length=1, max_length=OPTIONS_MAX)]


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One question; ``dont_know`` offers 不清楚 beside the options."""

    id: Code
    zh: Wording
    en: Translation = ""
    kind: Literal["single", "multi"] = "single"
    options: Annotated[tuple[Option, ...], msgspec.Meta(min_length=1, max_length=OPTIONS_MAX)]
    dont_know: bool = True
    required: bool = False
    ask_if: AskIf | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code an answer may hold."""
        own = tuple(option.code for option in self.options)
        return (*own, DONT_KNOW) if self.dont_know else own

    def asked(self, answers: Mapping[str, Answer]) -> bool:
        """Whether the skip rule lets it be asked, given the answers so far."""
        if self.ask_if is None:
            return True
        return not set(self.ask_if.any_of).isdisjoint(chosen(answers.get(self.ask_if.question)))


Questionnaire: TypeAlias = Annotated[tuple[Question, ...], msgspec.Meta(max_length=QUESTIONS_MAX)]


def chosen(answer: Answer | None) -> tuple[str, ...]:
    """The codes of an answer; none for no answer."""
    if answer is None:
        return ()
    return (answer,) if isinstance(answer, str) else answer


def faults(questions: Sequence[Question]) -> list[FieldError]:
    """What is wrong with a questionnaire; empty for one that can be asked."""
    found = [one for number, _ in enumerate(questions) for one in _faults(questions, number)]
    if (size := len(msgspec.json.encode(questions))) > QUESTIONNAIRE_BYTES_MAX:
        found.append(FieldError(
            "questionnaire", "too_long",
            f"问卷共 {size} 字节，最多 {QUESTIONNAIRE_BYTES_MAX} 字节；请删减题目、选项或文字。",
            f"It has {size} bytes as JSON, at most {QUESTIONNAIRE_BYTES_MAX}; ask less.",
        ))  # fmt: skip
    return found


def _faults(questions: Sequence[Question], number: int) -> Iterator[FieldError]:
    one, earlier = questions[number], {each.id: each for each in questions[:number]}
    path = f"questionnaire[{number}]"
    if one.id in earlier:
        yield FieldError(f"{path}.id", "duplicate", "题号重复。", "The id stands here twice.")
    twice = [code for code, times in Counter(one.codes).items() if times > 1]
    if twice:
        names = ", ".join(twice)
        yield FieldError(f"{path}.options", "duplicate", f"选项重复：{names}。",
                         f"Options given twice, or kept for 不清楚: {names}.")  # fmt: skip
    if one.ask_if is None:
        return
    before = earlier.get(one.ask_if.question)
    if before is None:
        yield FieldError(
            f"{path}.ask_if.question", "unknown_question", "跳转条件须引用前面的题目。",
            "It must name an earlier question.",
        )  # fmt: skip
    elif unknown := sorted(set(one.ask_if.any_of) - set(before.codes)):
        names = ", ".join(unknown)
        yield FieldError(f"{path}.ask_if.any_of", "unknown_option", f"没有这些选项：{names}。",
                         f"There are no such options: {names}.")  # fmt: skip


def wrong_answers(questions: Sequence[Question], answers: Mapping[str, Answer]) -> list[FieldError]:
    """What is wrong with answers: each error's path is ``answers.<question>``."""
    known = {one.id for one in questions}
    found = [
        _wrong(name, "unknown_question", "问卷中没有这道题。", "There is no such question.")
        for name in answers if name not in known
    ]  # fmt: skip
    # What a skip rule hides counts as not answered for the rules behind it.
    said: dict[str, Answer] = {}
    for one in questions:
        answer = answers.get(one.id)
        problem = _problem(one, answer, said)
        if problem:
            found.append(problem)
        elif answer is not None:
            said[one.id] = answer
    return found


def _problem(
    one: Question, answer: Answer | None, said: Mapping[str, Answer]
) -> FieldError | None:
    if not one.asked(said):
        if answer is None:
            return None
        return _wrong(one.id, "skipped_question", "按跳转规则不应回答此题。",
                      "The skip rule leaves this question out.")  # fmt: skip
    if answer is None:
        if not one.required:
            return None
        return _wrong(one.id, "required", "此题必答。", "This question must be answered.")
    if isinstance(answer, str) != (one.kind == "single"):
        return _wrong(one.id, "wrong_type", "单选题填一个选项，多选题填列表。",
                      "One option for a single choice, a list for several.")  # fmt: skip
    codes = chosen(answer)
    if not codes or len(set(codes)) < len(codes):
        return _wrong(one.id, "duplicate", "请至少选一项，且不重复。",
                      "Choose at least one option, and none twice.")  # fmt: skip
    if unknown := [code for code in codes if code not in one.codes]:
        names = ", ".join(unknown)
        return _wrong(one.id, "unknown_option", f"没有这个选项：{names}。",
                      f"There is no such option: {names}.")  # fmt: skip
    if DONT_KNOW in codes and len(codes) > 1:
        return _wrong(one.id, "dont_know_alone", "“不清楚”不能与其他选项同选。",
                      "“Don't know” stands alone.")  # fmt: skip
    return None


def _wrong(question: str, code: str, zh: str, en: str) -> FieldError:
    return FieldError(f"answers.{question}", code, zh, en)
