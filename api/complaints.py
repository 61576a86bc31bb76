"""What can be wrong with one field: a stable code and its sentences, from msgspec's complaint."""

from __future__ import annotations

import re
from typing import Any, Literal, get_args, get_origin

SENTENCES: dict[str, tuple[str, str]] = {
    "required": ("缺少此项。", "This field is required."),
    "unknown_field": ("没有这个字段。", "There is no such field."),
    "wrong_type": ("类型不对，应为{0}。", "Of the wrong type; it should be {0}."),
    "out_of_range": ("超出允许的范围{0}。", "Out of range{0}."),
    "too_long": ("过长，最多 {0}。", "Too long; at most {0}."),
    "too_short": ("过短，至少 {0}。", "Too short; at least {0}."),
    "wrong_length": ("应正好有 {0}。", "It must have exactly {0}."),
    "not_one_of": ("不是允许的取值，请从以下各项中选择：{0}。", "Choose one of: {0}."),
    "malformed_uuid": ("不是有效的 UUID。", "Not a valid UUID."),
    "malformed_date": ("不是有效的日期。", "Not a valid date; write it as in 2026-11-23."),
    # Python's times have no leap second, and nobody's phone was seen to send one.
    "malformed_time": (
        "不是有效的 RFC 3339 时间（闰秒请写作下一秒）。",
        "Not a valid RFC 3339 time; write a leap second as the second after it.",
    ),
    "no_offset": ("时间缺少时区。", "The time has no offset from UTC."),
    "broken_text": ("文字中有半个字符（例如被截断的表情符号），请删去。",
                    "There is half a character in it (an emoji cut in two, say); delete it."),
    "malformed": ("格式不对{0}。", "Not in the expected format{0}."),
}
# Where marshmallow itself refuses, an object was expected and no type is named. Between Chinese
# and Latin letters stands a space.
TYPES = {
    "": (" JSON 对象", "an object"),
    "object": (" JSON 对象", "an object"),
    "array": ("数组", "an array"),
    "str": ("文字", "text"),
    "int": ("整数", "a whole number"),
    "float": ("数字", "a number"),
    "bool": ("真假值", "true or false"),
    "null": ("空值", "null"),
    "uuid": (" UUID 编号", "a UUID"),
    "datetime": (" RFC 3339 时间", "an RFC 3339 time"),
    "date": ("日期", "a date"),
}
# Of what goes into the log for good, by its pattern.
NO_NUMBERS = (
    "：不得有连续七位数字（如电话号码），也不得有看不见的字符",
    ": without seven digits in a row, as in a telephone number, and nothing that cannot be seen",
)
UNITS = {"str": ("个字符", "characters"), "array": ("项", "items"), "object": ("个字段", "fields")}
BOUNDS = {
    ">=": ("，应不小于 {0}", ": it must be at least {0}"),
    "<=": ("，应不大于 {0}", ": it must be at most {0}"),
    ">": ("，应大于 {0}", ": it must be more than {0}"),
    "<": ("，应小于 {0}", ": it must be less than {0}"),
}

# msgspec's complaint -> our code; the group is the detail of the sentence.
PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"Expected `\w+` with a timezone()"), "no_offset"),
    (re.compile(r"Expected `\w+` matching(?: regex '\^\(\?!\.\*)?(\\+d\{7\}|)"), "malformed"),
    (re.compile(r"Expected (`\w+` of length <= \d+)"), "too_long"),
    (re.compile(r"Expected (`\w+` of length >= \d+)"), "too_short"),
    (re.compile(r"Expected (`\w+` of length \d+)"), "wrong_length"),
    (re.compile(r"Expected `\w+` ([<>]=? \S+)"), "out_of_range"),
    (re.compile(r"Expected `([^`]+)`, got"), "wrong_type"),
    (re.compile(r"Invalid enum()"), "not_one_of"),
    (re.compile(r"Invalid UUID()"), "malformed_uuid"),
    (re.compile(r"Invalid RFC3339 encoded date(?!time)()"), "malformed_date"),
    (re.compile(r"Invalid RFC3339()"), "malformed_time"),
    (re.compile(r"(?:Number|Integer value) out of range()"), "out_of_range"),
)
PLACE = re.compile(r" - at `(?:key` in `)?\$(.*)`$")
STEP = re.compile(r"\[(\d+)\]|\[\.\.\.\]|\.(\w+)")


def coded(error: Exception, shape: Any) -> Any:
    """A complaint of msgspec as marshmallow's tree: its place, and ``code|detail`` there.

    ``shape`` is the type that was expected; it tells which values are allowed.
    """
    text = str(error)
    code, detail = next(((code, match[1]) for pattern, code in PATTERNS
                         if (match := pattern.match(text))), ("malformed", ""))  # fmt: skip
    if code == "not_one_of":
        detail = "|".join(_allowed(shape))
    tree: Any = [f"{code}|{detail}"]
    place = PLACE.search(text)
    for index, name in reversed(STEP.findall(place[1]) if place else []):
        tree = {int(index) if index else name or "*": tree}
    return tree


def sentence(code: str, detail: str) -> tuple[str, str]:
    """The Chinese and the English sentence of a code."""
    zh, en = SENTENCES.get(code, SENTENCES["malformed"])
    detail_zh, detail_en = _detail(code, detail)
    return zh.format(detail_zh), en.format(detail_en)


def _detail(code: str, detail: str) -> tuple[str, str]:
    """What fills the gap of a sentence, in both languages."""
    if code == "malformed":
        return NO_NUMBERS if detail else ("", "")
    if code == "wrong_type":
        names = [TYPES.get(one, (one, one)) for one in detail.split(" | ")]
        return "或".join(zh for zh, _ in names), " or ".join(en for _, en in names)
    if code == "not_one_of":
        return detail.replace("|", "、"), detail.replace("|", ", ")
    if code == "out_of_range" and detail:
        sign, bound = detail.split()
        return BOUNDS[sign][0].format(bound), BOUNDS[sign][1].format(bound)
    if detail:
        *_, number = detail.split()
        zh, en = UNITS.get(detail.split("`")[1], UNITS["array"])
        return f"{number} {zh}", f"{number} {en}"
    return "", ""


def _allowed(shape: Any) -> list[str]:
    """The values of the Literal within a type; no field of ours has two different ones."""
    if get_origin(shape) is Literal:
        return [str(one) for one in get_args(shape)]
    return [value for inner in get_args(shape) for value in _allowed(inner)]
