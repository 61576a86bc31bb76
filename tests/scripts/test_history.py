"""``gwc history``: a sentence a fact, filtered, resumed, and followed live."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.scripts.conftest import Gwc, on_postgres

LINE = re.compile(r" *(\d+)  (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)  ([0-9a-f-]{36})  (\S.*)")


def exported(city: Gwc) -> list[dict]:
    return [json.loads(line) for line in city("export", "history", "--out", "-").splitlines()]


def shown(city: Gwc, *words: object) -> list[tuple[str, ...]]:
    """Position, time, originator and sentence of each line."""
    found = [LINE.fullmatch(line) for line in city("history", *words).splitlines()]
    assert all(found)
    return [match.groups() for match in found if match]


def test_every_fact_is_a_line_in_the_language_asked_for(city):
    """Position, time of Shanghai, originator and sentence, in Chinese and in English."""
    entries = exported(city)
    for lang in ("zh", "en"):
        lines = shown(city, "--lang", lang)
        assert [int(line[0]) for line in lines] == [one["position"] for one in entries]
        assert [line[2] for line in lines] == [one["originator_id"] for one in entries]
        assert [line[3] for line in lines] == [one["sentence"][lang] for one in entries]
    assert entries[1]["recorded_at"] == "2024-12-15T04:00:00.000000Z"
    assert lines[1][1] == "2024-12-15 12:00:00"


def test_as_json_it_is_the_export(city):
    """--json gives the very lines of the export, and where to go on is no part of them."""
    ran = city.run("history", "--json", "--lang", "en")
    assert ran.stdout == city("export", "history", "--out", "-")
    head = len(ran.stdout.splitlines())
    assert ran.stderr.splitlines() == [
        f"{head} entries, looked at up to {head}; to go on from here: --after {head}"
    ]


def test_filters_hold_together_and_pages_join(city):
    """Topic, person, time and position narrow it together; --limit pages join without a gap."""
    entries = exported(city)
    award = next(one for one in reversed(entries) if one["topic"] == "wallet.coins-awarded")
    person, wallet = award["state"]["participant_id"], award["originator_id"]
    wanted = ("--participant", person, "--topic", "wallet.", "--topic", "token.issued",
              "--since", "2024-12-15", "--until", "2026-03-02")  # fmt: skip
    expected = [
        str(one["position"]) for one in entries
        if one["state"].get("participant_id") == person
        and one["topic"].startswith(("wallet.", "token.issued"))
        and "2024-12-14T16" <= one["recorded_at"] < "2026-03-02T16"
    ]  # fmt: skip
    assert expected
    assert [line[0] for line in shown(city, *wanted)] == expected
    assert [line[0] for line in shown(city, "--originator", wallet)] == [
        str(one["position"]) for one in entries if one["originator_id"] == wallet
    ]
    joined, after = [], "0"
    while True:
        ran = city.run("history", *wanted, "--limit", 2, "--after", after)
        lines = [LINE.fullmatch(line) for line in ran.stdout.splitlines()]
        joined += [line[1] for line in lines if line]
        after = ran.stderr.split()[-1]
        if len(lines) < 2:
            break
    assert joined == expected


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--topic", "wallet"], "unknown_topic"),
        (["--since", "soon"], "usage"),
        (["--until", "2026-03-01", "--since", "2026-03-02"], "usage"),
        (["--participant", "me"], "usage"),
        (["--limit", "0"], "usage"),
        (["--after", "-1"], "usage"),
    ],
)
def test_a_filter_that_makes_no_sense_is_wrong_use(words, code, city):
    """Status 2, one line, nothing printed."""
    ran = city.run("history", *words, "--lang", "en", status=2)
    assert (ran.stdout, ran.stderr.split(":")[0]) == ("", code)
    assert len(ran.stderr.splitlines()) == 1


@contextmanager
def following(gwc: Gwc, *words: object) -> Iterator[subprocess.Popen[str]]:
    """``gwc history --follow`` as a process of its own, killed if it is still there."""
    process = subprocess.Popen(
        [*gwc.command, "history", "--follow", "--json", "--lang", "en", *map(str, words)],
        cwd=gwc.folder, env=gwc.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.kill()


def entry(process: subprocess.Popen[str]) -> dict:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


@pytest.fixture(params=("sqlite", "postgres"))
def empty(request: pytest.FixtureRequest, tmp_path) -> Gwc:
    """``gwc`` on a log with a policy and a token in it."""
    gwc = (
        on_postgres(tmp_path, request.getfixturevalue("postgres_url"))
        if request.param == "postgres" else request.getfixturevalue("gwc")
    )  # fmt: skip
    gwc("token", "issue", "--role", "auditor")
    return gwc


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_following_shows_what_comes_and_ends_when_told(number, empty):
    """Old entries, then a new one from another process; a signal ends it with status 0."""
    with following(empty, "--topic", "token.issued") as process:
        assert entry(process)["position"] == 3
        empty("token", "issue", "--role", "citizen")
        found = entry(process)
        assert (found["position"], found["state"]["role"]) == (5, "citizen")
        process.send_signal(number)
        rest, said = process.communicate(timeout=20)
    assert (process.returncode, rest) == (0, "")
    assert said.splitlines() == ["2 entries, looked at up to 5; to go on from here: --after 5"]


def test_following_ends_at_its_limit(empty):
    """--limit counts what is followed as well."""
    with following(empty, "--limit", 4) as process:
        empty("token", "issue", "--role", "citizen")
        printed, said = process.communicate(timeout=20)
    assert [json.loads(line)["position"] for line in printed.splitlines()] == [1, 2, 3, 4]
    assert process.returncode == 0
    assert said.endswith("--after 4\n")


def test_following_outlives_a_restart_of_the_database(tmp_path, postgres_url, postgres_server):
    """While the database is away it says so once; then it goes on without a gap or a double."""
    gwc = on_postgres(tmp_path, postgres_url)
    gwc("token", "issue", "--role", "auditor")
    name = conninfo_to_dict(postgres_url)["dbname"]
    with following(gwc) as process, psycopg.connect(postgres_server, autocommit=True) as server:
        assert [entry(process)["position"] for _ in range(3)] == [1, 2, 3]
        server.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        assert process.stderr is not None
        assert process.stderr.readline() == "The database is away; waiting for it.\n"
        server.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
        assert process.stderr.readline() == "The database is back.\n"
        gwc("token", "issue", "--role", "citizen")
        assert [entry(process)["position"] for _ in range(2)] == [4, 5]
        process.terminate()
        assert process.wait(20) == 0


def test_balances_of_a_day_by_what_is_known_since(city):
    """--effective moves late awards into their day; the last day is now; other days are refused."""
    csv = city("balances", "--effective", "2026-03-02")
    known_then = city("balances", "--as-of", "2026-03-02")
    assert csv.startswith("participant,available,held\n")
    # Visits of that day were only verified, and so awarded, on the next.
    assert total(csv) > total(known_then) > 0
    assert city("balances", "--effective", "2026-03-03") == city("balances")
    both = city("balances", "--effective", "2026-03-02", "--as-of", "2026-03-02")
    assert total(both) == total(known_then)
    for day, code in (("2024-12-01", "before_history"), ("2999-01-01", "after_history")):
        ran = city.run("balances", "--effective", day, status=1)
        assert (ran.stdout, ran.stderr.split(":")[0]) == ("", code)
    ran = city.run("balances", "--effective", "2026-03-02", "--at-position", 10**6, status=1)
    assert ran.stderr.startswith("after_history:")
    city("balances", "--effective", "2026-03", status=2)


def total(csv: str) -> int:
    return sum(int(line.split(",")[1]) for line in csv.splitlines()[1:])
