"""Packing (打包): the verifier as one file, of the very sources that the service runs.

Packed are the modules that define stored facts, the audit, and whatever they import at their top;
an import inside of a function is for work that no audit does. Nothing but the standard library may
be left over, so a rule that an auditor cannot repeat with Python alone is refused here.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ledger.facts import catalogue

ENTRY = "ledger.verifier.main"
STAND_INS = {"msgspec": "ledger.verifier.standin"}
QUOTE = "'''"
HEAD = Path(__file__).with_name("head.py")


class NotPackable(Exception):
    """A module that is needed cannot be had with Python alone; the message says which and why."""


def packed() -> str:
    """``verify.py``: the same text for the same sources."""
    import ledger.application  # noqa: F401 - every fact is registered by now

    roots = {ENTRY, *(fact.__module__ for fact in catalogue().values())}
    root = Path(__file__).resolve().parents[2]
    return written(closure(roots, root), HEAD.read_text(encoding="utf-8"))


def closure(roots: Iterable[str], root: Path) -> dict[str, str]:
    """The sources of these modules of ours and of all they import, by name, in order of name.

    Raises NotPackable.
    """
    found: dict[str, str] = {}
    wanted = sorted(roots)
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        path = _path(STAND_INS.get(name, name), root)
        assert path is not None
        found[name] = path.read_text(encoding="utf-8")
        for other in imported(ast.parse(found[name]), root):
            top = other.partition(".")[0]
            if top in STAND_INS or _path(other, root) is not None:
                wanted.append(other)
            elif top not in sys.stdlib_module_names:
                raise NotPackable(f"{name} imports {other}, which Python does not bring along")
    return dict(sorted(found.items()))


def imported(tree: ast.AST, root: Path) -> Iterator[str]:
    """The modules that are imported as soon as this one is."""
    for node in _at_the_top(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            within = [f"{node.module}.{alias.name}" for alias in node.names]
            inner = [name for name in within if _path(name, root) is not None]
            yield from inner
            if len(inner) < len(within):
                yield node.module


def _at_the_top(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from _at_the_top(node)


def _path(name: str, root: Path) -> Path | None:
    """The file of a module of ours; None for another's."""
    if name.partition(".")[0] not in {"ledger", *STAND_INS}:
        return None
    base = root.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def written(sources: Mapping[str, str], head: str) -> str:
    """One file: what reads it first, then every source as it stands, then the start."""
    parts = ["#!/usr/bin/env python3\n" + head.rstrip() + "\n"]
    for name, source in sources.items():
        if QUOTE in source or source.rstrip().endswith("\\"):
            raise NotPackable(f"{name} cannot stand between {QUOTE}")
        parts.append(f"SOURCES[{name!r}] = r{QUOTE}{source.rstrip()}\n{QUOTE}\n")
    parts.append(f"if __name__ == '__main__':\n    start({ENTRY!r})\n")
    return "\n\n".join(parts)
