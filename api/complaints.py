"""What can be wrong with one field: a stable code and its sentences, from msgspec's complaint."""

from __future__ import annotations

import re
from typing import Any

SENTENCES: dict[str, tuple[str, str]] = {
    "required": ("缺少此项。", "This field is required."),
    "unknown_field": ("没有这个字段。", "There is no such field."),
    "wrong_type": ("类型不对，应为 {0}。", "Of the wrong type; it should be {0}."),
    "out_of_range": ("超出允许的范围：应 {0}。", "Out of range: it must be {0}."),
    "too_long": ("过长，最多 {0}。", "Too long; at most {0}."),
    "too_short": ("过短，至少 {0}。", "Too short; at least {0}."),
    "wrong_length": ("应为 {0} 个元素。", "It must have {0} elements."),
    "not_one_of": ("不是允许的取值。", "Not one of the allowed values."),
    "malformed_uuid": ("不是有效的 UUID。", "Not a valid UUID."),
    "malformed_time": ("不是有效的 RFC 3339 时间。", "Not a valid RFC 3339 time."),
    "no_offset": ("时间缺少时区。", "The time has no offset from UTC."),
    "malformed": ("格式不对。", "Not in the expected format."),
}
TYPE_NAMES = {"": "JSON object", "object": "JSON object"}

# msgspec's complaint -> our code; a group is the detail of the sentence.
PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"Expected `\w+` with a timezone"), "no_offset"),
    (re.compile(r"Expected `\w+` matching"), "malformed"),
    (re.compile(r"Expected `\w+` of length <= (\d+)"), "too_long"),
    (re.compile(r"Expected `\w+` of length >= (\d+)"), "too_short"),
    (re.compile(r"Expected `\w+` of length (\d+)"), "wrong_length"),
    (re.compile(r"Expected `\w+` ([<>]=? \S+)"), "out_of_range"),
    (re.compile(r"Expected `([^`]+)`, got"), "wrong_type"),
    (re.compile(r"Invalid enum"), "not_one_of"),
    (re.compile(r"Invalid UUID"), "malformed_uuid"),
    (re.compile(r"Invalid RFC3339"), "malformed_time"),
    (re.compile(r"(?:Number|Integer value) out of range()"), "out_of_range"),
)
PLACE = re.compile(r" - at `(?:key` in `)?\$(.*)`$")
STEP = re.compile(r"\[(\d+)\]|\[\.\.\.\]|\.(\w+)")


def coded(error: Exception) -> Any:
    """A complaint of msgspec as marshmallow's tree: its place, and ``code|detail`` there."""
    text = str(error)
    code = next((f"{code}|{(match.groups() or ('',))[0]}" for pattern, code in PATTERNS
                 if (match := pattern.match(text))), "malformed|")  # fmt: skip
    tree: Any = [code]
    place = PLACE.search(text)
    for index, name in reversed(STEP.findall(place[1]) if place else []):
        tree = {int(index) if index else name or "*": tree}
    return tree


def sentence(code: str, detail: str) -> tuple[str, str]:
    """The Chinese and the English sentence of a code."""
    zh, en = SENTENCES.get(code, SENTENCES["malformed"])
    return zh.format(detail or "…"), en.format(detail or "…")
