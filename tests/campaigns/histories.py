"""Made-up histories of edits, and a model of what people say at their end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import strategies as st

from ledger.campaigns.merging import History, Version

FIRST = {"outcome": "met", "materials.booklet": 2, "remark": "旧"}
VALUES: dict[str, list[Any]] = {
    "outcome": ["met", "by_phone"],
    "materials.booklet": [0, 2, 3],
    "answers.q3": ["yes", "no", None],
    "remark": ["旧", "新", None],
}


class Edit(msgspec.Struct, frozen=True):
    """An edit of a made-up history: on top of which one (None: the visit), saying what."""

    parent: int | None
    said: dict[str, Any]


def ancestors(edits: Sequence[Edit], number: int) -> list[int]:
    """The edits an edit was made on top of, oldest first."""
    parent = edits[number].parent
    return [] if parent is None else [*ancestors(edits, parent), parent]


def newest(edits: Sequence[Edit], field: str) -> list[Any]:
    """The model: what was said of a field and by nobody on top of it; else what was recorded."""
    saying = [number for number, edit in enumerate(edits) if field in edit.said]
    replaced = {older for number in saying for older in ancestors(edits, number)}
    return [edits[number].said[field] for number in saying if number not in replaced] or [
        FIRST.get(field)
    ]


@st.composite
def histories(draw: st.DrawFn, most: int = 6) -> tuple[list[Edit], list[list[int]]]:
    """Edits that build on one another, and two orders in which they arrive."""
    said = st.dictionaries(st.sampled_from(sorted(VALUES)), st.integers(0, 2), max_size=3)
    edits = []
    for number in range(draw(st.integers(1, most))):
        parent = draw(st.none() | st.integers(0, number - 1)) if number else None
        chosen = draw(said)
        edits.append(Edit(parent, {
            field: VALUES[field][which % len(VALUES[field])] for field, which in chosen.items()
        }))  # fmt: skip
    return edits, [draw(st.permutations(range(len(edits)))) for _ in range(2)]


def merged(edits: Sequence[Edit], order: Sequence[int]) -> History:
    """The history once all has arrived, those that wait being sent again."""
    history, numbers = History(FIRST), dict[int, int]()
    left = list(order)
    while left:
        ready = [one for one in left if set(ancestors(edits, one)) <= numbers.keys()]
        for one in ready:
            chain = tuple(numbers[older] for older in ancestors(edits, one))
            said = edits[one].said
            clashes = history.clashing(1, chain, said)
            history.add(Version(UUID(int=one), 1, chain, said, clashes))
            numbers[one] = len(history.versions) + 1
        left = [one for one in left if one not in numbers]
    return history


def outcome(history: History) -> dict[str, tuple[Any, list[Any]]]:
    """By field what stands, and what else waits."""
    standing = history.standing()
    waits: dict[str, list[Any]] = {}
    for clash, value in history.open_clashes():
        waits.setdefault(clash.field, []).append(value)
    return {field: (standing.get(field), waits.get(field, [])) for field in VALUES}


def script(edits: Sequence[Edit]) -> str:
    """A made-up history as a script: every branch is another person's."""
    short = {"materials.booklet": "booklet", "answers.q3": "q3"}
    lines = ["v A outcome=met booklet=2 remark=旧"]
    for number, edit in enumerate(edits):
        words = [
            f"-{short.get(field, field)}" if value is None else f"{short.get(field, field)}={value}"
            for field, value in edit.said.items()
        ]
        on = "id" if edit.parent is None else f"e{edit.parent}"
        root = (*ancestors(edits, number), number)[0]
        lines.append(f"e{number} {'ABD'[root % 3]} > {on} {' '.join(words)}")
    return "\n".join(lines)
