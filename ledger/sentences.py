"""How the fields of a fact are said (用语) in the sentence that an auditor reads.

An id is said by its first eight digits, whoever gave a command outside of the service is the
operator, and reasons are quoted as the participant was told them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from ledger.words import Text, in_words

DIGITS = 8
NONE = Text("无", "none")
# What is said where a field is empty.
MISSING = {
    "by": Text("运维人员", "The operator"),
    "district": Text("全市", "the whole city"),
    "household": Text("（未列底册）", "(not in the frame)"),
}
NAME = re.compile(r"\{(\w+)")
ONE = re.compile(r"\b1 (coin|unit|photo|item|point|household|key|row|token)s\b")
# Codes that are met in sentences alone; every other is in ``words.py``.
CODES: dict[str, Mapping[str, Text]] = {
    "rule": {
        "patrol.length": Text("巡河里程", "length of the patrol"),
        "patrol.assessment": Text("巡河判定", "verdict on the patrol"),
        "patrol.review": Text("巡河审核", "review of the patrol"),
        "report.tier-1": Text("一般问题", "ordinary finding"),
        "report.tier-2": Text("较大问题", "greater finding"),
        "report.tier-3": Text("重大问题", "grave finding"),
        "report.review": Text("问题审核", "review of the report"),
        "visit.confirmed": Text("走访属实", "confirmed visit"),
        "visit.confirmer": Text("走访核实", "confirming another's visit"),
        "visit.outcome": Text("走访结果", "outcome of the visit"),
        "visit.once": Text("同户一次", "a household once"),
        "visit.confirmers": Text("核实人数", "number of those who confirm"),
        "visit.review": Text("走访审核", "review of the visit"),
        "check_in.point": Text("打卡点", "a point of the trail"),
        "check_in.finish": Text("走满线路", "the trail finished"),
        "check_in.assessment": Text("打卡判定", "verdict on the check-in"),
        "check_in.once": Text("同点每日一次", "a point once a day"),
        "check_in.order": Text("打卡顺序", "order of the points"),
        "check_in.pace": Text("打卡间隔", "time between two points"),
        "check_in.review": Text("打卡审核", "review of the check-in"),
        "role.eligible": Text("角色资格", "roles that earn"),
        "role.duty": Text("本职工作", "no pay for one's own duty"),
        "day.remembered": Text("补交期限", "late period"),
        "lot.good": Text("有效期", "coins still good"),
        "time.once": Text("同一时段一次", "the same minutes once"),
        "budget.room": Text("预算余额", "room in the budget"),
        "policy": Text("适用政策", "policy in force"),
    },
    "mark": {
        "first": Text("首次走访", "the first visit"),
        "confirmer": Text("核实走访", "a confirming visit"),
        "point": Text("到达打卡点", "a point reached"),
        "finish": Text("走满线路", "the trail finished"),
    },
    "kind": {
        "opera": Text("送戏下乡", "an opera"),
        "talk": Text("宣讲", "a talk"),
        "exhibition": Text("展览", "an exhibition"),
        "other": Text("其他活动", "another event"),
    },
    "by": {"place": Text("凭定位", "by its place"), "code": Text("扫码", "by its code")},
    "keeper": {"True": Text("管理人", "a keeper"), "False": Text("成员", "a member")},
}


def said(field: str, value: Any) -> Text | msgspec.Struct:
    """A field in words; a Struct as it is, whose own fields a headline may name."""
    if isinstance(value, msgspec.Struct):
        return value
    if field in SAID:
        return SAID[field](value)
    if isinstance(value, UUID):
        return Text(*[str(value)[:DIGITS]] * 2)
    if value is None or value == "":
        return MISSING.get(field, NONE)
    return CODES.get(field, {}).get(str(value)) or in_words(field, value)


def sentence(headline: Text, fields: Mapping[str, Any]) -> Text:
    """The headline with its fields in words."""
    words = {field: said(field, fields[field]) for field in _named(headline)}
    zh = {field: getattr(text, "zh", text) for field, text in words.items()}
    en = {field: getattr(text, "en", text) for field, text in words.items()}
    return Text(headline.zh.format(**zh), ONE.sub(r"1 \1", headline.en.format(**en)))


@cache
def _named(headline: Text) -> frozenset[str]:
    """The fields a headline names; most facts have larger ones that it does not."""
    return frozenset(NAME.findall(headline.zh + headline.en))


def _kind(value: str) -> Text:
    # Here, as the ways to take part know their facts, and so this module.
    from ledger.contributions import CONTRIBUTIONS

    names = {one.kind: one.name for one in CONTRIBUTIONS}
    return names.get(value) or CODES["kind"].get(value) or in_words("kind", value)


def _reasons(codes: Sequence[str]) -> Text:
    """What the participant was told, behind a comma; nothing where there was nothing to tell."""
    from ledger.settlement import reason_text

    texts = [reason_text(code) for code in codes]
    if not texts:
        return Text("", "")
    return Text(
        "，告知：" + "".join(f"“{one.zh}”" for one in texts),
        ", with the words " + " ".join(f"“{one.en}”" for one in texts),
    )


def _how_many(value: Sequence[Any] | int) -> Text:
    return Text(*[str(value if isinstance(value, int) else len(value))] * 2)


def _mark(value: str) -> Text:
    """What something counts for; behind a slash stands which point and day it is."""
    return CODES["mark"].get(value.partition("/")[0]) or Text(value, value)


SAID: dict[str, Callable[[Any], Text]] = {
    "kind": _kind, "reasons": _reasons, "mark": _mark, "photos": _how_many, "items": _how_many,
}  # fmt: skip
