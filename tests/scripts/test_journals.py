"""``gwc export journal``: a city's coins as other bookkeeping programs have them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.bookkeepers import as_csv
from tests.dba import unprotect
from tests.scripts.conftest import SMALL, on_postgres


def exported(gwc, form: str, *words: object) -> Path:
    gwc("export", "journal", "--format", form, "--out", "j", *words)
    return gwc.folder / "j"


def test_a_city_has_the_same_balances_in_every_program(city, bookkeeper):
    """What each program adds up is what `gwc balances` prints, byte for byte; all of it is 0."""
    path = exported(city, bookkeeper.form)
    found = bookkeeper.balances(path)
    assert as_csv(found, path.read_text()) == city("balances")
    assert sum(found.values()) == 0
    half = city("export", "history", "--out", "-").count("\n") // 2
    path = exported(city, bookkeeper.form, "--at-position", half)
    then = bookkeeper.balances(path)
    assert as_csv(then, path.read_text()) == city("balances", "--at-position", half)
    assert 0 < len(then) < len(found)


def test_postgres_gives_the_same_journal(played, postgres_url, tmp_path):
    """The same city on PostgreSQL is the same file, byte for byte."""
    there = on_postgres(tmp_path, postgres_url)
    there("demo", "--once", *SMALL)
    mine = exported(there, "hledger").read_bytes()
    city = type(there)(tmp_path, GWC_DATABASE_URL=f"sqlite:///{played / 'gwc.db'}")
    assert mine == exported(city, "hledger").read_bytes()


def test_moments_that_are_not_in_the_log_are_refused(city, gwc):
    """Before the first entry and behind the last no journal is written."""
    for nowhere, code in ((0, "before_history"), (10**6, "after_history")):
        words = ("export", "journal", "--out", "j", "--at-position", nowhere)
        assert city.run(*words, status=1).stderr.startswith(f"{code}:")
    assert not list(city.folder.glob("j*"))


def test_an_empty_log_is_read_by_every_program(gwc, bookkeeper):
    """A city in which nothing happened has a journal without transactions."""
    gwc("token", "issue", "--role", "auditor")
    assert bookkeeper.balances(exported(gwc, bookkeeper.form)) == {}


def test_an_export_that_fails_leaves_the_old_file(city):
    """A row that cannot be read ends it: the position is said, no half file is under any name."""
    before = exported(city, "hledger").read_bytes()
    with sqlite3.connect(city.folder / "gwc.db") as connection:
        unprotect(connection)
        (last,) = connection.execute(
            "SELECT max(position) FROM events WHERE topic = 'wallet.coins-awarded'"
        ).fetchone()
        connection.execute("UPDATE events SET state = x'7b7d' WHERE position = ?", (last,))
    connection.close()
    words = ("--lang", "en", "export", "journal", "--out", "j")
    problem = city.run(*words, status=1).stderr
    assert problem.startswith("corrupt_fact:")
    assert f"position {last}" in problem
    assert (city.folder / "j").read_bytes() == before
    assert not list(city.folder.glob("*.partial"))


def test_the_journal_of_a_forgotten_person_stays_the_same(city):
    """It is made from the log alone: with the vault emptied it is the same to the byte."""
    before = exported(city, "beancount").read_bytes()
    with sqlite3.connect(city.folder / "gwc.db") as connection:
        names = [name for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'vault%'"
        )]  # fmt: skip
        assert names
        for name in names:
            connection.execute(f"DROP TABLE {name}")
    connection.close()
    (city.folder / "gwc.db.vault-key").unlink()
    assert exported(city, "beancount").read_bytes() == before
