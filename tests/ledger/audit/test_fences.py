"""What was erased may be missing and nothing else; and nothing of it is there, or came back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from ledger.audit import Fences, audit, rows_of
from ledger.campaigns.frame import household_subject
from tests.ledger.erasing import erase, registered
from tests.ledger.examples import NOW, a_report, contribute, someone


@pytest.fixture
def erased(town) -> UUID:
    """Somebody the example erased at once."""
    return next(iter(town.erasures()))


@pytest.fixture
def citizen(town) -> UUID:
    """Somebody with rows in the vault."""
    return registered(town).participant_id


def told(findings) -> list[tuple[str, int]]:
    return [(one.code, one.position) for one in findings()]


def test_the_example_holds_every_kind_of_erasure(town, findings):
    """At once, by two, after a hold, and one held: all of it is right, and nothing is missing."""
    steps = [state.state for state in town.erasures().values()]
    assert steps == ["completed", "completed", "completed", "held"]
    assert findings() == []


def test_a_key_gone_without_a_fact_is_named(town, table, findings, citizen):
    """A destroyed key alone is no erasure: everything under it is missing."""
    table.run("DELETE FROM vault_keys WHERE subject = ?", citizen)
    found = findings()
    assert {one.code for one in found} == {"VAULT"}
    assert len(found) == len(town.store.select_of_subject(citizen)) == 4


def test_rows_that_came_back_are_named(town, table, findings, citizen):
    """Rows of an old copy put back behind the fence are named where the erasure was completed."""
    rows = table.run("SELECT * FROM vault WHERE subject = ?", citizen)
    erase(town, citizen)
    assert findings() == []
    for row in rows:
        table.run(f"INSERT INTO vault VALUES ({', '.join('?' * len(row))})", *row)
    found = findings()
    assert told(lambda: found) == [("VAULT", town.erasure(citizen).position)]
    assert "4 rows are still there" in found[0].text


def test_a_key_that_came_back_is_named(town, table, findings, citizen):
    """So is the key by itself, also under another name."""
    ((key,),) = table.run("SELECT wrapped_key FROM vault_keys WHERE subject = ?", citizen)
    erase(town, citizen)
    table.run("INSERT INTO vault_keys VALUES (?, ?)", citizen, key)
    assert told(findings) == [("VAULT", town.erasure(citizen).position)]
    table.run("DELETE FROM vault_keys WHERE subject = ?", citizen)
    other, vault = uuid4(), town.vault
    nonce = bytes(12)
    raw = vault._unwrap(citizen, bytes(key))
    wrapped = nonce + vault._master.encrypt(nonce, raw, other.bytes)
    table.run("INSERT INTO vault_keys VALUES (?, ?)", other, wrapped)
    ((position, _),) = town.erasure(citizen).fences
    assert told(findings) == [("VAULT", position)]


def test_what_hangs_on_an_unreadable_fence_is_not_told_again(town, table, findings, erased):
    """A fence nobody can read is one finding of its own, and the vault's fence with it."""
    ((position, _),) = town.erasure(erased).fences
    table.change(position, state=b"{}", rehash=True)
    found = told(findings)
    assert found[0] == ("CORRUPT_FACT", position)
    assert {code for code, _ in found} <= {"CORRUPT_FACT", "ERASURE"}


def test_fences_are_those_of_the_log(town, table, findings, erased):
    """A fence that is gone, changed or made up is named; one behind the log's end says so."""
    ((position, _),) = town.erasure(erased).fences
    row = table.run("SELECT * FROM vault_fences WHERE subject = ?", erased)[0]
    table.run("UPDATE vault_fences SET prints = '[]' WHERE subject = ?", erased)
    assert told(findings) == [("ERASURE", position)]
    table.run("DELETE FROM vault_fences WHERE subject = ?", erased)
    assert told(findings) == [("ERASURE", position)]
    marks = ", ".join("?" * len(row))
    table.run(f"INSERT INTO vault_fences VALUES ({marks})", *row)
    assert findings() == []
    stranger = (uuid4(), 3, *row[2:])
    table.run(f"INSERT INTO vault_fences VALUES ({marks})", *stranger)
    assert told(findings) == [("ERASURE", 3)]
    table.run("UPDATE vault_fences SET position = 99999 WHERE position = 3")
    found = findings()
    assert told(lambda: found) == [("ERASURE", town.head())]
    assert "behind the end of this log" in found[0].text


def test_what_a_hold_keeps_may_not_be_missing(town, table, findings, citizen):
    """Behind a limited fence the kept fields must be there and open, and the others be gone."""
    town.place_hold(someone(town, "approver"), citizen, "audit", ("phone",), NOW)
    erase(town, citizen)
    assert town.erasure(citizen).step == "limited"
    assert findings() == []
    table.run("DELETE FROM vault WHERE subject = ?", citizen)
    assert told(findings) == [("VAULT", town.participant(citizen).registered_at_position)]


def test_a_household_is_erased_with_its_visits(town, findings):
    """What visits to it kept may be missing under the worker's and the survey's key alike."""
    subject = household_subject("H0")
    town.ask_erasure(None, subject, "other", NOW, household="H0")
    assert town.run_erasure(subject, NOW).rows > 3
    assert findings() == []


def test_two_keys_for_one_commitment_are_refused(town, table, findings, citizen):
    """Another key with another text under it opens, and is not what the log committed to."""
    registered_at = town.participant(citizen).registered_at_position
    sealed = town.participant(citizen).registered.sealed[0]
    table.run("DELETE FROM vault_keys WHERE subject = ?", citizen)
    key = town.vault._new_key(citizen)
    table.run("INSERT INTO vault_keys VALUES (?, ?)", citizen, key)
    table.run("DELETE FROM vault WHERE subject = ? AND field <> ?", citizen, sealed.field)
    _, lie = town.vault.seal(citizen, citizen, sealed.field, "another", NOW)
    table.run("UPDATE vault SET nonce = ?, ciphertext = ? WHERE originator_id = ? AND field = ?",
              lie.nonce, lie.ciphertext, citizen, sealed.field)  # fmt: skip
    texts = [one.text for one in findings() if one.position == registered_at]
    assert any("CommitmentBroken" in one for one in texts)


def test_a_hold_of_coins_that_should_have_ended_is_named(town, findings, buyer):
    """Coins held for a redemption a week past its last day are named, where it was issued."""
    _, _, _, order = buyer
    late = town.redemption(order.id).deadline
    moment = NOW.replace(year=late.year, month=late.month, day=late.day)
    contribute(town, "report", someone(town), a_report(), moment + timedelta(days=7))
    assert findings() == []
    contribute(town, "report", someone(town), a_report(), moment + timedelta(days=9))
    issued = [one.position for one in town.store.select_events(order.id) if "issued" in one.topic]
    assert ("HOLD", *issued) in told(findings)


def test_what_is_erased_meanwhile_is_no_fault(town, citizen):
    """The log grows while it is read: a fence set behind what was read is one of the log all the
    same."""
    fences, read = Fences(town.store, town.vault), list(rows_of(town))
    erase(town, citizen)
    assert list(audit(read, fences)) == []
