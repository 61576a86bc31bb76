"""A campaign as the sheets of an XLSForm: what a worker is asked at a door, in both languages.

Element names are ours, never a dispatcher's: materials are numbered, questions are prefixed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from ledger.campaigns.campaign import Plan
from ledger.campaigns.questionnaire import DONT_KNOW, Question
from ledger.contributions.visit import Outcome
from ledger.contributions.visiting import TALKED
from ledger.words import Text, in_words

Row = dict[str, str]
Sheets = dict[str, list[Row]]

ZH, EN = "中文 (zh)", "English (en)"
HOUSEHOLDS_CSV = "households.csv"
HOUSEHOLD = "[A-Za-z0-9][A-Za-z0-9._-]{0,39}"
COUNT_MAX, TOPICS_MAX, REMARK_MAX = 10_000, 30, 500
PHOTO_PIXELS = 1280
QUESTION = "q_"
TALKED_IF = " or ".join(f"${{outcome}} = '{one}'" for one in sorted(TALKED))
# What XML 1.0 cannot hold, what stands for nothing, and what cannot be seen or turns the line,
# whoever wrote it into a question or an address.
NOT_SHOWN = re.compile(
    "[^\t\n\r\x20-\ud7ff\uf900-\ufffd\U00010000-\U000effff]"
    "|[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]"
)
# pyxform makes straight quotes of Chinese ones, so they pass through it as what stands for nothing.
QUOTES = {ord(one): 0xE000 + number for number, one in enumerate("‘’“”")}
QUOTES_BACK = {code: one for one, code in QUOTES.items()}

REQUIRED = Text("此题必答。", "This question must be answered.")
ALONE = Text("“不清楚”不能与其他选项同选。", "“Don't know” stands alone.")
COUNT = Text(f"请填 0 至 {COUNT_MAX} 的整数。", f"A whole number from 0 to {COUNT_MAX}.")
NUMBER = Text("户号只含字母、数字和 . _ -。", "Its number has letters, digits and . _ - only.")
TOPICS = Text(f"最多选 {TOPICS_MAX} 项。", f"At most {TOPICS_MAX} of them.")
REMARK = Text(f"最多 {REMARK_MAX} 字。", f"At most {REMARK_MAX} characters.")
UNSURE = Text("不清楚", "Don't know")


def material(number: int) -> str:
    """The element of a material, by its place in the plan, from 1 on; its name may be no XML."""
    return f"m{number}"


def sheets(form_id: str, version: str, plan: Plan, *, listed: bool) -> Sheets:
    """The XLSForm of a campaign; ``listed``: its households come in a file of their own."""
    return {
        "survey": [*_visit(plan, listed=listed), *_talk(plan), *_rest()],
        "choices": list(_choices(plan)),
        "settings": [{"form_title": _worded(plan.name), "form_id": form_id, "version": version,
                      "default_language": ZH}],
    }  # fmt: skip


def _visit(plan: Plan, *, listed: bool) -> Iterator[Row]:
    """Which household, what came of it, and what was handed out."""
    yield {"type": "start", "name": "start"}
    yield {"type": "end", "name": "end"}
    household = _ask("household", Text("户", "Household"), required="yes")
    if listed:
        yield household | {"type": f"select_one_from_file {HOUSEHOLDS_CSV}",
                           "appearance": "autocomplete"}  # fmt: skip
    else:
        yield household | {"type": "text", **_only_if(f"regex(., '^{HOUSEHOLD}$')", NUMBER)}
    yield _ask("outcome", Text("走访结果", "Outcome"), type="select_one outcome", required="yes")
    if not plan.materials:
        return
    yield _ask("materials", Text("发放物品", "Handed out"), type="begin_group")
    for number, name in enumerate(plan.materials, 1):
        yield _ask(material(number), Text(name, name), type="integer",
                   **_only_if(f". >= 0 and . <= {COUNT_MAX}", COUNT))  # fmt: skip
    yield {"type": "end_group"}


def _talk(plan: Plan) -> Iterator[Row]:
    """What is asked only of somebody who was met or reached by telephone."""
    if not plan.topics and not plan.questionnaire:
        return
    yield _ask("talk", Text("交谈", "Talk"), type="begin_group", relevant=TALKED_IF)
    if plan.topics:
        yield _ask("topics", Text("宣传主题", "Topics"), type="select_multiple topics",
                   **_only_if(f"count-selected(.) <= {TOPICS_MAX}", TOPICS))  # fmt: skip
    for one in plan.questionnaire:
        yield _question(one)
    yield {"type": "end_group"}


def _question(one: Question) -> Row:
    kind = "select_one" if one.kind == "single" else "select_multiple"
    more = {}
    if one.ask_if is not None:
        before = f"${{{QUESTION}{one.ask_if.question}}}"
        more["relevant"] = " or ".join(
            f"selected({before}, '{code}')" for code in one.ask_if.any_of
        )
    if one.kind == "multi" and one.dont_know:
        more |= _only_if(f"not(selected(., '{DONT_KNOW}') and count-selected(.) > 1)", ALONE)
    if one.required:
        more |= {"required": "yes", **_said("required_message", REQUIRED)}
    return _ask(QUESTION + one.id, Text(one.zh, one.en), type=f"{kind} {QUESTION}{one.id}", **more)


def _rest() -> Iterator[Row]:
    yield _ask("follow_up_on", Text("约定再访日期", "To be visited again on"), type="date")
    yield _ask("remark", Text("备注", "Remark"), type="text", appearance="multiline",
               **_only_if(f"string-length(.) <= {REMARK_MAX}", REMARK))  # fmt: skip
    yield _ask("place", Text("位置", "Place"), type="geopoint")
    yield _ask("photo", Text("照片", "Photo"), type="image",
               parameters=f"max-pixels={PHOTO_PIXELS}")  # fmt: skip


def _choices(plan: Plan) -> Iterator[Row]:
    for outcome in get_args(Outcome):
        yield _choice("outcome", outcome, in_words("outcome", outcome))
    for topic in dict.fromkeys(plan.topics):
        yield _choice("topics", topic, Text(topic, topic))
    for one in plan.questionnaire:
        for option in one.options:
            yield _choice(QUESTION + one.id, option.code, Text(option.zh, option.en))
        if one.dont_know:
            yield _choice(QUESTION + one.id, DONT_KNOW, UNSURE)


def _choice(of: str, code: str, text: Text) -> Row:
    return {"list_name": of, "name": code, **_said("label", text)}


def _ask(name: str, text: Text, **more: Any) -> Row:
    return {"name": name, **_said("label", text), **more}


def _only_if(constraint: str, text: Text) -> Row:
    return {"constraint": constraint, **_said("constraint_message", text)}


def _said(column: str, text: Text) -> Row:
    """A text in both languages; where there is no English the Chinese stands for it."""
    return {f"{column}::{ZH}": _worded(text.zh), f"{column}::{EN}": _worded(text.en or text.zh)}


def _worded(words: str) -> str:
    """As ``plain``, for pyxform; what it made has its quotes back by ``QUOTES_BACK``."""
    return plain(words).translate(QUOTES)


def plain(words: str) -> str:
    """Words as a form can show them: none that XML lacks, and none that XLSForm reads as a name."""
    return NOT_SHOWN.sub("", words).replace("${", "＄{").strip() or "—"
