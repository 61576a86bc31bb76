"""The command line as a whole: help, languages, settings, failures in one line."""

from __future__ import annotations

import re
import subprocess
import sys

import click
import pytest

from scripts.gwc import COMMANDS, commands
from tests.conftest import ROOT
from tests.scripts.conftest import Gwc, on_postgres


def every_command(command: click.Command, name: str = "gwc") -> dict[str, click.Command]:
    """All commands below one, by their full names."""
    if not isinstance(command, click.Group):
        return {name: command}
    context = click.Context(command)
    found = {}
    for word in command.list_commands(context):
        inner = command.get_command(context, word)
        assert inner is not None
        found |= every_command(inner, f"{name} {word}")
    return found


def test_the_readme_lists_every_command():
    """The table of scripts/README.md has exactly the commands there are."""
    rows = re.findall(r"^\| `(gwc [a-z ]+)` \|", (ROOT / "scripts/README.md").read_text(), re.M)
    assert len(rows) == len(set(rows))
    assert set(every_command(commands)) == set(rows)


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
    assert all(name in ran.stdout for name in COMMANDS)


def test_every_command_explains_itself(gwc):
    """--help of each command ends with status 0 and touches no database."""
    for name in sorted(every_command(commands)):
        words = name.split()[1:]
        assert "Usage: gwc" in gwc(*words, "--help")
    assert not list(gwc.folder.iterdir())


def test_every_option_says_what_it_means():
    """No option of any command is without a help text, in Chinese and in English."""
    silent = [
        f"{name} {option.opts[0]}"
        for name, command in every_command(commands).items()
        for option in command.params
        if isinstance(option, click.Option)
        and not (re.search("[A-Za-z]", option.help or "")
                 and re.search("[\u4e00-\u9fff]", option.help or ""))
    ]  # fmt: skip
    assert silent == []


READS = (
    ["audit"], ["replay"], ["balances"], ["balances", "--at-position", "1"], ["views"],
    ["rebuild", "--all"], ["policy", "show"], ["export", "history", "--out", "-"],
    ["history"], ["balances", "--effective", "2026-03-02"],
)  # fmt: skip


@pytest.mark.parametrize("words", READS, ids=" ".join)
def test_a_command_that_only_reads_makes_nothing(words, gwc):
    """Without a database it is status 2, names file and setting, and the folder stays empty."""
    for lang, said in (("zh", "没有数据库文件"), ("en", "There is no database file")):
        ran = gwc.run(*words, "--lang", lang, status=2)
        assert ran.stdout == ""
        assert ran.stderr.startswith(f"no_database: {said} {gwc.folder / 'gwc.db'}")
        assert "GWC_DATABASE_URL" in ran.stderr
    assert list(gwc.folder.iterdir()) == []


@pytest.mark.parametrize("words", READS, ids=" ".join)
def test_a_command_that_only_reads_needs_no_keys(words, city):
    """An auditor's copy of the file alone is enough, and no key is made beside it."""
    for key in city.folder.glob("*-key"):
        key.unlink()
    city.run(*words)
    assert not list(city.folder.glob("*-key"))


def test_reading_an_empty_database_publishes_nothing(tmp_path, postgres_url):
    """On an empty PostgreSQL nothing passes for audited, and there is no entry afterwards."""
    gwc = on_postgres(tmp_path, postgres_url)
    assert gwc.run("audit", "--lang", "en", status=1).stderr.startswith("empty_log: ")
    assert gwc.run("policy", "show", status=1).stderr.startswith("no_policy: ")
    assert gwc("export", "history", "--out", "-") == ""


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
