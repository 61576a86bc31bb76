"""Documents that cannot drift: commands, settings and the catalogue of facts are compared."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import ledger.application  # noqa: F401  (all facts are registered by importing it)
from ledger.facts import catalogue

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def names_in(text: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, text))


def test_the_first_screen_holds_the_two_commands():
    """The README's first block is the two commands that scripts/dev.py knows."""
    from scripts.dev import COMMANDS

    block = README.split("```")[1].strip().splitlines()
    words = [line.split("#")[0].split() for line in block]
    assert words == [["python3", "scripts/dev.py", "demo"], ["python3", "scripts/dev.py", "test"]]
    assert {line[2] for line in words} < set(COMMANDS)
    assert README[: README.index("```")].count("\n") < 15


def test_the_catalogue_of_facts_is_complete():
    """The ledger's README and the changelog name every stored fact and no other."""
    names = set(catalogue())
    topic = r"`([a-z_]+\.[a-z0-9-]+)`"
    readme = (ROOT / "ledger" / "README.md").read_text().split("stored name")[1]
    files = {name for name in names_in(readme, topic) if name.endswith(".py")}
    assert names_in(readme, topic) - files == names
    assert names_in((ROOT / "CHANGELOG.md").read_text().split("Stored facts")[-1], topic) == names


def test_the_table_of_settings_is_the_settings():
    """The README's table lists exactly the settings that api/config.py reads."""
    from api.config import SETTINGS

    listed = names_in(README.split("## Settings")[1].split("## Where")[0], r"`(GWC_[A-Z_]+)`")
    assert listed == {one.name for one in SETTINGS}


def test_ci_runs_the_readmes_test_command():
    """What lands is checked by the command a newcomer runs."""
    assert "python3 scripts/dev.py test" in (ROOT / ".ci" / "run").read_text()


def test_under_ci_nothing_missing_is_skipped(tmp_path):
    """.ci/run sets CI where it is unset, so a server that is missing fails its tests there."""
    fake = tmp_path / "python3"
    fake.write_text('#!/bin/sh\necho "CI=$CI $*"\n')
    fake.chmod(0o755)
    for given, seen in (({}, "1"), ({"CI": "true"}, "true")):
        env = {"PATH": f"{tmp_path}{os.pathsep}{os.defpath}", **given}
        ran = subprocess.run([ROOT / ".ci" / "run"], env=env, capture_output=True, text=True)
        assert ran.stdout == f"CI={seen} scripts/dev.py test\n"


def test_every_file_of_a_package_is_named_in_its_readme():
    """A newcomer finds each module of a folder in that folder's README."""
    with open(ROOT / "pyproject.toml", "rb") as project:
        packages = tomllib.load(project)["tool"]["setuptools"]["packages"]
    unnamed = []
    for folder in (ROOT.joinpath(*package.split(".")) for package in packages):
        named = names_in((folder / "README.md").read_text(), r"`([a-z0-9_]+\.py)`")
        modules = {module.name for module in folder.glob("*.py")} - {"__init__.py"}
        assert modules
        unnamed += [f"{folder.relative_to(ROOT)}/{name}" for name in sorted(modules - named)]
    assert unnamed == []


def test_every_linked_file_is_there():
    """No link in a document leads nowhere."""
    folders = [ROOT / package for package in ("ledger", "projections", "api", "scripts", "tests")]
    pages = [*ROOT.glob("*.md"), *(page for folder in folders for page in folder.rglob("*.md"))]
    links = [
        page.parent / link
        for page in pages
        for link in names_in(page.read_text(), r"\]\(([^)#:]+)\)")
    ]
    assert links
    assert [link for link in links if not link.exists()] == []


def test_secrets_beside_the_database_stay_out_of_git(tmp_path):
    """No key file, lock or log of a database made where the README's commands run is added."""
    names = [f"{base}{end}" for base in ("gwc.db", "gwc-demo.db")
             for end in ("", "-wal", "-shm", ".secret-key", ".vault-key", ".log-key",
                         ".tlog/0123456789abcdef/checkpoint")]  # fmt: skip
    names += ["gwc.tlog/0123456789abcdef/tile/0/000"]
    # In a repository of its own, so that a copy without its history can be tested as well.
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text((ROOT / ".gitignore").read_text())
    ignored = subprocess.run(
        ["git", "check-ignore", *names], cwd=tmp_path, capture_output=True, text=True
    )
    assert ignored.stdout.split() == names
