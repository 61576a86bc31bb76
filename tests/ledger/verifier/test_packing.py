"""Packing: one readable file, the same every time, that needs Python alone."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from ledger.facts import catalogue
from ledger.verifier.packing import NotPackable, closure, packed
from tests.conftest import ROOT

FACTS = "from ledger.facts import Fact"


def sources(text: str) -> dict[str, str]:
    """What a verifier carries, by module."""
    return {
        node.targets[0].slice.value: node.value.value for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript)
    }  # fmt: skip


def test_the_same_sources_give_the_same_file():
    """Packing is deterministic, so anybody with the sources can make the file themselves."""
    assert packed() == packed()


def test_every_source_is_carried_as_it_stands():
    """What an auditor reads is what runs, line by line; every fact's module is there."""
    carried = sources(packed())
    for name, text in carried.items():
        path = ROOT / "ledger" / "verifier" / "standin.py" if name == "msgspec" else None
        base = ROOT.joinpath(*name.split("."))
        path = path or next(
            one for one in (base.with_suffix(".py"), base / "__init__.py") if one.is_file()
        )
        assert text.rstrip() == path.read_text().rstrip(), name
    assert {fact.__module__ for fact in catalogue().values()} <= set(carried)


def test_nothing_but_python_is_needed():
    """No module that is carried imports another library at its top."""
    for name, text in sources(packed()).items():
        for node in ast.parse(text).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            tops = {one.partition(".")[0] for one in names} - {"ledger", "msgspec"}
            assert tops <= set(sys.stdlib_module_names), name


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("import numpy", True), ("from cryptography.exceptions import X", True),
        ("import json", False), (FACTS, False), ("import msgspec", False),
        ("def f():\n    import numpy", False),
        ("class C:\n    import numpy", True),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy", False),
        ("try:\n    import numpy\nexcept ImportError:\n    pass", True),
    ],
)  # fmt: skip
def test_a_rule_that_needs_a_library_is_refused(line, refused, tmp_path):
    """A way to earn that cannot be judged again without one is told when it is packed."""
    for name, text in {"new": line, "facts": "", "verifier/standin": ""}.items():
        path = tmp_path / "ledger" / f"{name}.py"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    if refused:
        with pytest.raises(NotPackable, match=r"ledger\.new imports"):
            closure(["ledger.new"], tmp_path)
    else:
        assert "ledger.new" in closure(["ledger.new"], tmp_path)


def test_the_file_says_how_it_is_used():
    """Whoever opens it first reads what it is and how it is run."""
    head = packed().split("SOURCES[")[0]
    assert "python3 -I verify.py [BUNDLE] [--checkpoint OLDER] [--witness-policy FILE]" in head
    assert Path(__file__).name not in head
