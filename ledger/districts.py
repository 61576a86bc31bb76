"""Districts (行政区): city → county → functional zone → town → grid, as an imported register.

Any kind may be left out of a path, and none stands in it twice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Annotated
from uuid import UUID

import msgspec

from ledger.errors import FieldError, InvalidInput, UnknownDistrict
from ledger.facts import Fact, stored_as

KINDS = ("city", "county", "zone", "town", "grid")
DEPTH_MAX = 8
NAME_MAX = 60
PATTERN = r"^[\w.-]{1,40}$(?!\n)"
DistrictCode = Annotated[str, msgspec.Meta(pattern=PATTERN)]
"""Whatever a district is known by, wherever one is written down: it names rows of views."""
CODE = re.compile(PATTERN)
# What stands in a sentence or on a board: no line break, and nothing that no text may hold.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@stored_as(
    "district.imported",
    zh="{by} 导入行政区 {code} {name}",
    en="{by} imported the district {code} {name}",
)
class DistrictImported(Fact, frozen=True):
    """A district as the city's list names it; importing it again replaces name and parent."""

    code: str
    name: str
    parent: str | None
    kind: str
    by: UUID | None = None


class Districts(msgspec.Struct):
    """The tree of districts by code."""

    version: int = 0
    by_code: dict[str, DistrictImported] = {}
    parents: frozenset[str | None] = frozenset()

    def with_facts(self, facts: Sequence[Fact]) -> Districts:
        imported = {fact.code: fact for fact in facts if isinstance(fact, DistrictImported)}
        by_code = self.by_code | imported
        parents = frozenset(one.parent for one in by_code.values())
        return Districts(self.version + len(facts), by_code, parents)

    def known(self, code: str | None) -> bool:
        """Whether ``code`` may be used; where none were imported, any may, and none is needed."""
        return code is None or not self.by_code or code in self.by_code

    def check(self, code: str | None, path: str = "district") -> None:
        """Raises InvalidInput for what is no code, UnknownDistrict; ``path`` names the field."""
        if code is not None and not CODE.match(code):
            raise InvalidInput([malformed(path)])
        if not self.known(code):
            raise UnknownDistrict([unknown(path)], district=code)

    def path(self, code: str | None) -> tuple[str, ...]:
        """``code`` and the districts above it, lowest first; empty for None."""
        path: list[str] = []
        while code is not None and code not in path and len(path) < DEPTH_MAX:
            path.append(code)
            found = self.by_code.get(code)
            code = found.parent if found else None
        return tuple(path)

    def is_lowest(self, code: str) -> bool:
        """Whether no district lies below one: a grid, as far as is known."""
        return code not in self.parents

    def changes_kind(self, one: DistrictImported) -> bool:
        """Whether a district is there as another kind."""
        return one.code in self.by_code and self.by_code[one.code].kind != one.kind

    def misfits(
        self, rows: Iterable[DistrictImported], fixed: Collection[str] = ()
    ) -> dict[str, FieldError]:
        """What of an import does not fit into the tree, by code; the rest may be imported.

        Kinds go downwards, so that a place has one district of a kind above it; ``fixed`` are
        codes that keep theirs. What changes nothing fits, however the tree came to be.
        """
        left = {one.code: one for one in rows if self.by_code.get(one.code) != one}
        found: dict[str, FieldError] = {}
        while wrong := dict(self._wrong(left, fixed)):
            found |= wrong
            left = {code: one for code, one in left.items() if code not in wrong}
        return found

    def _wrong(
        self, rows: dict[str, DistrictImported], fixed: Collection[str]
    ) -> Iterator[tuple[str, FieldError]]:
        after = self.by_code | rows
        for code, one in after.items():
            above = after.get(one.parent) if one.parent is not None else None
            disordered = above is not None and not _is_below(one, above)
            if code in rows and one.parent is not None and above is None:
                yield code, no_parent(one.parent)
            elif code in fixed and self.changes_kind(one):
                yield code, still_stood_in()
            elif code in rows and disordered:
                assert above is not None
                yield code, not_below(above)
            elif above is not None and disordered and above.code in rows:
                yield above.code, not_above(one)


def fault(code: str, name: str, kind: str) -> FieldError | None:
    """What is wrong with a district that is to be imported, were it the only one."""
    if not code or not name:
        return FieldError("code" if name else "name", "missing_value", "缺少代码或名称。",
                          "Code or name is missing.")  # fmt: skip
    if kind not in KINDS:
        kinds = ", ".join(KINDS)
        return FieldError("kind", "unknown_kind", f"类型应为 {kinds}。", f"Kinds: {kinds}.")
    if not CODE.match(code):
        return malformed("code")
    if len(name) > NAME_MAX or has_controls(name):
        return FieldError("name", "malformed_name", f"名称应为一行，至多 {NAME_MAX} 字。",
                          f"A name is one line of at most {NAME_MAX} characters.")  # fmt: skip
    return None


def _is_below(one: DistrictImported, above: DistrictImported) -> bool:
    return KINDS.index(above.kind) < KINDS.index(one.kind)


def no_parent(code: str) -> FieldError:
    """What to say of a district whose parent there is not."""
    return FieldError("parent", UnknownDistrict.code, f"没有上级行政区 {code}。",
                      f"There is no parent district {code}.")  # fmt: skip


def not_below(above: DistrictImported) -> FieldError:
    """What to say of a kind that is not below that of the parent."""
    kinds = " > ".join(KINDS)
    return FieldError("kind", "kinds_out_of_order",
                      f"类型应低于上级 {above.code}（{above.kind}）：{kinds}。",
                      f"Below {above.code} ({above.kind}) is a lower kind: {kinds}.")  # fmt: skip


def not_above(below: DistrictImported) -> FieldError:
    """What to say of a kind that is not above that of what lies below it."""
    kinds = " > ".join(KINDS)
    return FieldError("kind", "kinds_out_of_order",
                      f"类型应高于下级 {below.code}（{below.kind}）：{kinds}。",
                      f"Above {below.code} ({below.kind}) is a higher kind: {kinds}.")  # fmt: skip


def still_stood_in() -> FieldError:
    """What to say of another kind for a place whose households are being visited."""
    return FieldError("kind", "campaign_open", "走访活动进行中，其中有住户，类型不能改变。",
                      "Households of an open campaign are in it: its kind stays.")  # fmt: skip


def unknown(path: str) -> FieldError:
    """What to say of a code that no district has."""
    return FieldError(path, UnknownDistrict.code, "没有这个行政区。", "There is no such district.")


def malformed(path: str) -> FieldError:
    """What to say of a text that is no district's code."""
    return FieldError(
        path, "malformed_code", "行政区代码应为 1 至 40 个字母、数字、点、横线或下划线。",
        "A district's code is 1 to 40 letters, digits, dots, dashes or underscores.",
    )  # fmt: skip


def has_controls(text: str) -> bool:
    """Whether a text holds line breaks or control characters."""
    return _CONTROLS.search(text) is not None
