"""The rules of the house: who may import whom, what may stand where.

A rule is a function from a file to its findings.  Each one is applied to the checkout, and to a
small planted violation that it must find.
"""
from __future__ import annotations

import ast
import importlib.util
import os
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path, PurePosixPath

import pytest

from tests.conftest import ROOT

NOT_OURS = {".git", ".venv", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache",
            "__pycache__", "build", "dist"}
MODULES = ("ledger/*.py", "projections/*.py", "api/*.py", "scripts/*.py")

# Package -> those of ours that it may import.  Nothing but a test imports tests.
LAYERS = {
    "ledger": {"ledger"},
    "projections": {"ledger", "projections"},
    "api": {"ledger", "projections", "api"},
    "scripts": {"ledger", "projections", "api", "scripts"},
}
# Package -> all it may import from others, besides what ONLY_IN gives single files.
THIRD_PARTY = {
    "ledger": {"eventsourcing", "msgspec", "cryptography"},
    "projections": {"eventsourcing", "msgspec"},
}
POSTGRES = ("ledger/store/postgres.py", "projections/store_sql*.py", "scripts/*")
TRACKS, WEB = ("ledger/tracks/*",), ("api/*",)
OPENROSA = ("api/openrosa/*",)
ONLY_IN = {
    "psycopg": POSTGRES,
    "redis": ("projections/store_redis.py", "scripts/*"),
    "shapely": TRACKS, "pyproj": TRACKS, "defusedxml": (*TRACKS, *OPENROSA), "numpy": TRACKS,
    "pyxform": OPENROSA,
    "flask": WEB, "marshmallow": WEB, "flask_smorest": WEB, "flask_limiter": WEB,
    "flask_swagger_ui": WEB, "webargs": WEB, "apispec": WEB, "werkzeug": WEB,
}
READS_ENVIRONMENT = {"api/config.py", "scripts/dev.py", "scripts/check.py", "scripts/servers.py"}
# File -> why it may ask the clock all the same.  Everybody else is told: `now` is an argument.
READS_CLOCK: dict[str, str] = {}
VAGUE = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"}
LINES_MAX, LINES_WATCHED, README_LINES_MAX = 300, 200, 25
# No dot and no slash of these stands bare, so that this file does not find itself.
REGISTRY = re.compile(r"pypi[.]org|pythonhosted[.]org|npmjs[.](?:org|com)|deb[.]debian[.]org")
MACHINE_PATH = re.compile(r"(?<![\w.}])[/](?:work|root|home|tmp|Users)[/]\w")


@dataclass(frozen=True)
class File:
    """A file of the tree under *root*; *path* is relative to it."""

    root: Path
    path: PurePosixPath

    @cached_property
    def text(self) -> str:
        return (self.root / self.path).read_bytes().decode("utf-8", "replace")

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(ast.parse(self.text)))

    @property
    def top(self) -> str:
        return self.path.parts[0]

    @property
    def imports(self) -> set[str]:
        """Top-level names of the absolute imports; relative ones cannot leave their package."""
        plain = {alias.name for node in self.nodes if isinstance(node, ast.Import)
                 for alias in node.names}
        whence = {node.module or "" for node in self.nodes
                  if isinstance(node, ast.ImportFrom) and not node.level}
        return {name.partition(".")[0] for name in plain | whence}

    def uses(self, names: set[str]) -> Iterator[str]:
        """Those of *names*, written `owner.attribute`, that are used or imported from there."""
        for node in self.nodes:
            if isinstance(node, ast.Attribute):
                owner = ast.unparse(node.value).rpartition(".")[2]
                yield from names & {f"{owner}.{node.attr}"}
            elif isinstance(node, ast.ImportFrom):
                yield from names & {f"{node.module}.{alias.name}" for alias in node.names}


Rule = Callable[[File], Iterator[str]]
RULES: dict[Rule, tuple[str, ...]] = {}


def looks_at(*patterns: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        RULES[rule] = patterns
        return rule
    return register


def files(root: Path, patterns: tuple[str, ...]) -> list[File]:
    """Our own files under *root* that match one of *patterns* (a star matches slashes too)."""
    found = []
    for folder, inside, names in os.walk(root):
        inside[:] = sorted(set(inside) - NOT_OURS)
        paths = [(Path(folder) / name).relative_to(root).as_posix() for name in sorted(names)]
        found += [File(root, PurePosixPath(path)) for path in paths
                  if any(fnmatch(path, pattern) for pattern in patterns)]
    return found


def findings(rule: Rule, root: Path) -> tuple[int, list[str]]:
    """How many files under *root* the rule looked at, and what it found."""
    looked_at = files(root, RULES[rule])
    return len(looked_at), [f"{file.path}: {text}" for file in looked_at for text in rule(file)]


@looks_at(*MODULES)
def packages_import_downwards(file: File) -> Iterator[str]:
    for name in sorted(file.imports & {*LAYERS, "tests"} - LAYERS[file.top]):
        yield f"imports {name}"


@looks_at(*MODULES)
def libraries_stay_where_they_belong(file: File) -> Iterator[str]:
    known = {*sys.stdlib_module_names, *LAYERS, "tests"}
    for name in sorted(file.imports - known):
        if name in ONLY_IN:
            allowed = any(fnmatch(str(file.path), pattern) for pattern in ONLY_IN[name])
        else:
            allowed = file.top not in THIRD_PARTY or name in THIRD_PARTY[file.top]
        if not allowed:
            yield f"imports {name}"


@looks_at(*MODULES)
def one_file_reads_the_environment(file: File) -> Iterator[str]:
    if str(file.path) not in READS_ENVIRONMENT:
        yield from file.uses({"os.environ", "os.environb", "os.getenv"})


@looks_at("ledger/*.py", "projections/*.py")
def nobody_asks_the_clock(file: File) -> Iterator[str]:
    if str(file.path) not in READS_CLOCK:
        yield from file.uses({"datetime.now", "datetime.utcnow", "datetime.today", "date.today",
                              "time.time", "time.time_ns", "time.localtime", "time.gmtime"})


@looks_at(*MODULES, "tests/*.py")
def names_say_something(file: File) -> Iterator[str]:
    for part in sorted(VAGUE & {*file.path.parts[:-1], file.path.stem}):
        yield f"{part} is no name"


@looks_at(*MODULES)
def folders_explain_themselves(file: File) -> Iterator[str]:
    folder = file.root / file.path.parent
    first = min(folder.glob("*.py"))            # one finding for a folder is enough
    if file.path.name == first.name and not (folder / "README.md").is_file():
        yield f"no README.md in {file.path.parent}/"


@looks_at("ledger/*README.md", "projections/*README.md", "api/*README.md", "scripts/*README.md")
def folder_readmes_are_short(file: File) -> Iterator[str]:
    lines = [line for line in file.text.splitlines() if not line.lstrip().startswith("|")]
    if len(lines) > README_LINES_MAX:
        yield f"{len(lines)} lines besides tables"


@looks_at(*MODULES)
def packages_are_listed(file: File) -> Iterator[str]:
    with open(file.root / "pyproject.toml", "rb") as project:
        listed = tomllib.load(project)["tool"]["setuptools"]["packages"]
    if ".".join(file.path.parent.parts) not in listed:
        yield "its folder is not among the packages in pyproject.toml"


@looks_at(*MODULES)
def modules_come_from_here(file: File) -> Iterator[str]:
    # Finding a top-level package imports nothing, and its modules are looked up in its folder.
    spec = importlib.util.find_spec(file.top)
    places = list(spec.submodule_search_locations or []) if spec else []
    if [Path(place) for place in places[:1]] != [file.root / file.top]:
        yield f"{file.top} comes from {places}"


@looks_at(*MODULES, "tests/*.py")
def modules_are_one_thing(file: File) -> Iterator[str]:
    if (count := len(file.text.splitlines())) > LINES_MAX:
        yield f"{count} lines"


@looks_at("*")
def no_registry_and_no_machine_is_named(file: File) -> Iterator[str]:
    if "\0" in file.text:           # a database or picture that a run left behind
        return
    for pattern in (REGISTRY, MACHINE_PATH):
        for match in pattern.finditer(file.text):
            yield f"line {file.text.count(chr(10), 0, match.start()) + 1} names {match.group()}"


@looks_at("tests/test_*.py", "tests/*/test_*.py")
def every_test_states_its_promise(file: File) -> Iterator[str]:
    for node in file.nodes:
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if is_function and node.name.startswith("test_") and not ast.get_docstring(node):
            yield f"{node.name} has no docstring"


# Each a rule, and a file that breaks it.
PLANTED = [
    (packages_import_downwards, "ledger/wallet.py", "import projections.view"),
    (packages_import_downwards, "ledger/store/rows.py", "def f():\n    from api import app"),
    (packages_import_downwards, "projections/view.py", "from api.config import Config"),
    (packages_import_downwards, "api/app.py", "import scripts"),
    (packages_import_downwards, "scripts/gwc.py", "from tests import servers"),
    (libraries_stay_where_they_belong, "ledger/wallet.py", "import flask"),
    (libraries_stay_where_they_belong, "ledger/wallet.py", "import psycopg.rows"),
    (libraries_stay_where_they_belong, "ledger/rivers.py", "from shapely import Point"),
    (libraries_stay_where_they_belong, "ledger/wallet.py", "import requests"),
    (libraries_stay_where_they_belong, "projections/board.py", "import redis"),
    (libraries_stay_where_they_belong, "api/app.py", "from redis import Redis"),
    (libraries_stay_where_they_belong, "scripts/gwc.py", "import marshmallow"),
    (one_file_reads_the_environment, "api/auth.py", "import os\nkey = os.environ['KEY']"),
    (one_file_reads_the_environment, "ledger/vault.py", "from os import getenv"),
    (nobody_asks_the_clock, "ledger/wallet.py", "import datetime as d\nd.datetime.now()"),
    (nobody_asks_the_clock, "ledger/wallet.py", "f(default_factory=date.today)"),
    (nobody_asks_the_clock, "projections/runner.py", "from time import time"),
    (names_say_something, "ledger/utils.py", ""),
    (names_say_something, "api/common/page.py", ""),
    (folders_explain_themselves, "ledger/store/rows.py", ""),
    (folder_readmes_are_short, "api/routes/README.md", "word\n" * (README_LINES_MAX + 1)),
    (packages_are_listed, "ledger/forgotten/rows.py", ""),
    (modules_come_from_here, "ledger/__init__.py", ""),
    (modules_are_one_thing, "api/app.py", "1\n" * (LINES_MAX + 1)),
    (no_registry_and_no_machine_is_named, "README.md", "see https://pypi" + ".org/project/x"),
    (no_registry_and_no_machine_is_named, "api/a.toml", "'/" + "home/me/gwc.db'"),
    (every_test_states_its_promise, "tests/test_a.py", "class T:\n    def test_b(self): ..."),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule):
    """The checkout breaks no rule of the house, and the rule did look at files."""
    looked_at, found = findings(rule, ROOT)
    assert looked_at
    if rule is modules_are_one_thing and found:
        lengths = {str(file.path): file.text.count("\n") for file in files(ROOT, RULES[rule])}
        found += [f"(watch) {path}: {count} lines" for path, count in lengths.items()
                  if LINES_WATCHED < count <= LINES_MAX]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED,
                         ids=[f"{rule.__name__}-{path}" for rule, path, _ in PLANTED])
def test_a_rule_finds_a_planted_violation(rule, path, text, tmp_path):
    """Each rule of the house finds the file that breaks it, so it is able to fail."""
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text)
    (tmp_path / "pyproject.toml").write_text("[tool.setuptools]\npackages = ['ledger']\n")
    looked_at, found = findings(rule, tmp_path)
    assert looked_at
    assert [line for line in found if line.startswith(f"{path}: ")]


def test_every_rule_has_a_planted_violation():
    """No rule is without the proof that it can fail."""
    assert {rule for rule, _, _ in PLANTED} == set(RULES)
