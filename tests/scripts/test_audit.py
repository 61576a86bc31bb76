"""``gwc audit`` and ``gwc replay``: silent on an honest log, and what they say otherwise."""

from __future__ import annotations

import json
import re
import sqlite3

from tests.dba import unprotect


def change(city, sql: str) -> None:
    with sqlite3.connect(city.folder / "gwc.db") as connection:
        unprotect(connection)
        connection.execute(sql)


def test_an_honest_city_passes(city):
    """No finding, status 0, and the last word on stderr."""
    ran = city.run("audit", "--lang", "en")
    assert ran.stdout == ""
    assert "found no fault" in ran.stderr
    assert city("audit", "--json") == "[]\n"
    assert "0 differences" in city("replay", "--lang", "en")


def test_a_finding_is_a_line_with_its_code_and_position(city):
    """A changed hash is named first, as text and as JSON, with status 1."""
    change(city, "UPDATE events SET leaf_hash = zeroblob(32) WHERE position = 20")
    lines = city("audit", status=1).splitlines()
    assert re.fullmatch(r"LEAF_HASH position=20 \S.*", lines[0])
    first = json.loads(city("audit", "--json", status=1))[0]
    assert (first["code"], first["position"], set(first)) == (
        "LEAF_HASH", 20, {"code", "position", "text"},
    )  # fmt: skip


def test_an_edited_amount_is_a_difference_of_the_replay(city):
    """An award changed in the database is not what replaying the facts gives."""
    change(city, """UPDATE events SET state = cast(replace(cast(state AS TEXT),
        '"amount":', '"amount":1') AS BLOB) WHERE position =
        (SELECT min(position) FROM events WHERE topic = 'wallet.coins-awarded')""")
    assert city("replay", status=1).startswith("AWARD_DIFFERS position=")
    assert city("audit", status=1).startswith("LEAF_HASH position=")


def test_an_edited_vault_row_is_named(city):
    """What no longer opens in the vault is found at its fact, with the key beside the file."""
    change(city, "UPDATE vault SET ciphertext = zeroblob(64) WHERE rowid = 1")
    ran = city.run("audit", "--lang", "en", status=1)
    (line,) = ran.stdout.splitlines()
    assert re.match(r"VAULT position=[1-9]\d* ", line)
    assert "The audit found 1 fault." in ran.stderr


def test_without_the_vault_key_the_rest_is_audited_and_that_is_said(city):
    """An auditor without the key learns that the vault is unchecked; no key is made."""
    change(city, "UPDATE vault SET ciphertext = zeroblob(64) WHERE rowid = 1")
    (key,) = city.folder.glob("*.vault-key")
    key.unlink()
    assert "the vault is unchecked" in city.run("audit", "--lang", "en").stderr
    assert not key.exists()


def test_an_invented_snapshot_is_named(city):
    """Coins put into the snapshot store, where the log has none, are found."""
    change(city, """INSERT INTO snapshots SELECT originator_id,
        originator_version, 'wallet.snapshot-2',
        cast('{"wallet":{"lots":{"2027-12-31":{"1":1000}}}}' AS BLOB), recorded_at
        FROM events WHERE topic = 'wallet.coins-awarded' LIMIT 1""")
    (line,) = city("audit", status=1).splitlines()
    assert re.match(r"SNAPSHOT position=[1-9]\d* ", line)


def test_an_edited_view_row_is_named_with_the_position_that_wrote_it(city):
    """Coins added to a view alone are found, and a rebuild mends them."""
    change(city, """UPDATE view_rows SET data = cast(replace(cast(data AS TEXT),
        '"amount":', '"amount":1') AS BLOB) WHERE rowid =
        (SELECT min(r.rowid) FROM view_rows r JOIN views v USING (generation)
         WHERE v.name = 'balances' AND instr(r.data, '"amount":') > 0)""")
    (line,) = city("audit", status=1).splitlines()
    assert re.match(r"VIEW position=[1-9]\d* ", line)
    assert "balances" in line
    city("rebuild", "balances", status=1)
    city("audit")
