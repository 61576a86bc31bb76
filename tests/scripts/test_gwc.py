"""The command line as a whole: help, languages, settings, failures in one line."""

from __future__ import annotations

import re
import subprocess
import sys

import click

from scripts.gwc import COMMANDS, commands
from tests.conftest import ROOT
from tests.scripts.conftest import Gwc, on_postgres


def every_command(command: click.Command, name: str = "gwc") -> set[str]:
    """The full names of all commands below one."""
    if not isinstance(command, click.Group):
        return {name}
    context = click.Context(command)
    found = set()
    for word in command.list_commands(context):
        inner = command.get_command(context, word)
        assert inner is not None
        found |= every_command(inner, f"{name} {word}")
    return found


def test_the_readme_lists_every_command():
    """The table of scripts/README.md has exactly the commands there are, bench where built."""
    rows = re.findall(r"^\| `(gwc [a-z ]+)` \|", (ROOT / "scripts/README.md").read_text(), re.M)
    assert len(rows) == len(set(rows))
    assert every_command(commands) | {"gwc bench"} == set(rows)


def test_help_loads_no_library():
    """gwc --help stays quick: it imports neither the ledger nor what it needs."""
    code = (
        "import sys; from scripts.gwc import commands;"
        "commands.main(['--help'], standalone_mode=False);"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'ledger', 'api', 'projections', 'eventsourcing', 'numpy', 'rich', 'flask'}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.stdout.splitlines()[-1] == "[]", ran.stderr
    assert all(name in ran.stdout for name in COMMANDS if name != "bench")


def test_every_command_explains_itself(gwc):
    """--help of each command ends with status 0 and touches no database."""
    for name in sorted(every_command(commands)):
        words = name.split()[1:]
        assert "Usage: gwc" in gwc(*words, "--help")
    assert not list(gwc.folder.iterdir())


def test_wrong_words_are_status_2_and_one_line(gwc):
    """An unknown command, option or value is told in one line."""
    for words in (["nosuch"], ["balances", "--nosuch"], ["balances", "--as-of", "soon"],
                  ["rebuild"], ["rebuild", "nosuch"], ["token", "issue", "--role", "king"]):
        ran = gwc.run(*words, status=2)
        assert len(ran.stderr.splitlines()) == 1, ran.stderr
        assert re.match(r"[a-z_]+: \S", ran.stderr)


def test_the_language_stands_before_or_behind_the_command(gwc):
    """A refusal is Chinese unless English is asked for, in either place."""
    assert "没有" in gwc.run("token", "revoke", "x", status=1).stderr
    english = "not_found: There is no such token.\n"
    assert gwc.run("--lang", "en", "token", "revoke", "x", status=1).stderr == english
    assert gwc.run("token", "revoke", "x", "--lang", "en", status=1).stderr == english


def test_wrong_settings_are_status_2_and_named(gwc):
    """An unknown setting, and a key that is missing with PostgreSQL, are named."""
    gwc.env["GWC_DATABSE_URL"] = "sqlite:///x.db"
    ran = gwc.run("balances", status=2)
    assert ran.stderr.startswith("config_error: ")
    assert "GWC_DATABSE_URL" in ran.stderr
    del gwc.env["GWC_DATABSE_URL"]
    gwc.env["GWC_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    assert "GWC_SECRET_KEY" in gwc.run("balances", status=2).stderr


def test_an_unreachable_database_is_status_2_and_names_the_setting(tmp_path):
    """Every command that needs the database says in one line that it cannot be reached."""
    gwc: Gwc = on_postgres(tmp_path, "postgresql://nobody@127.0.0.1:1/none")
    for words in (["balances"], ["audit"], ["serve"], ["follow"], ["demo", "--once"]):
        ran = gwc.run(*words, status=2)
        assert "database_unavailable: " in ran.stderr
        assert "GWC_DATABASE_URL" in ran.stderr
        assert len(ran.stderr.splitlines()) == 1, ran.stderr
