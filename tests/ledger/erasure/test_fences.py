"""The fence: nothing gets past it at the same moment, and no bytes lie about behind it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from ledger.erasure.erasures import ErasureFenced, erasure_id
from ledger.errors import CommitmentBroken
from ledger.facts import Entry
from ledger.store import schema
from ledger.store.errors import SubjectFenced
from ledger.store.rows import Fence
from ledger.vault import Vault
from tests.ledger.erasing import erase, registered
from tests.ledger.examples import NOW, someone

KEY = bytes(range(32))


def set_fence(ledger, subject: UUID) -> Fence:
    """Only the fence, with its fact."""
    fact = ErasureFenced(subject=subject, prints=())
    stored = ledger.mapper.to_stored_event(Entry(erasure_id(subject), 1, NOW, fact))
    (position,) = ledger.store.insert_events([stored], fence=Fence(subject, ()))
    return Fence(subject, (), position=position)


def test_a_fence_stands_for_one_subject(ledger):
    """Behind it there is no key and no row, however they come; others have both as before."""
    fenced, free = uuid4(), uuid4()
    sealed = {one: ledger.vault.seal(uuid4(), one, "name", "x", NOW)[1] for one in (fenced, free)}
    set_fence(ledger, fenced)
    store = ledger.store
    assert (store.is_fenced(fenced), store.is_fenced(free)) == (True, False)
    assert store.select_key(fenced) is None
    with pytest.raises(SubjectFenced):
        store.insert_key(fenced, b"another")
    with pytest.raises(SubjectFenced):
        store.insert_events([], vault_rows=[sealed[fenced]])
    store.insert_events([], vault_rows=[sealed[free]])
    assert len(store.select_of_subject(free)) == 1
    assert [one.subject for one in store.select_fences()] == [fenced]


def test_calls_of_one_commit_are_judged_in_their_order(ledger, monkeypatch):
    """A row that shares its transaction with the fence before it is refused, one before it kept."""
    subject, store = uuid4(), ledger.store
    rows = [ledger.vault.seal(uuid4(), subject, "name", "x", NOW)[1] for _ in range(2)]
    fact = ErasureFenced(subject=subject, prints=())
    stored = ledger.mapper.to_stored_event(Entry(erasure_id(subject), 1, NOW, fact))
    calls: list = []
    monkeypatch.setattr(store._merge, "submit", calls.append)
    store.insert_events([], vault_rows=rows[:1])
    store.insert_events([stored], fence=Fence(subject, ()))
    store.insert_events([], vault_rows=rows[1:])
    store._commit(calls)
    assert [type(call.error) for call in calls] == [type(None), type(None), SubjectFenced]
    assert len(store.select_of_subject(subject)) == 1


def test_a_key_stored_at_the_same_moment_is_destroyed(ledger, open_ledger, env):
    """Whoever stores a key and commits late holds the fence up; then it is there to destroy."""
    subject, slow = uuid4(), open_ledger().store
    key = [slow.key(subject), b"late", slow.key(subject)]
    late = [*slow.before_keys, (schema.INSERT_KEY, [key])]
    if "DATABASE_URL" in env:  # SQLite has one writer at a time anyway.
        late.append(("SELECT pg_sleep(0.6)", [()]))
    thread = threading.Thread(target=slow.write, args=(late,))
    thread.start()
    time.sleep(0.2)
    fence = set_fence(ledger, subject)
    ledger.store.destroy(fence, [], ledger.store.select_stored_key(subject))
    thread.join()
    assert ledger.store.select_stored_key(subject) is None


def test_no_bytes_of_keys_lie_about(ledger, env):
    """Behind an erasure the wrapped key is in no file of the database, nor are its rows' bytes."""
    others = [registered(ledger).participant_id for _ in range(3)]
    person = registered(ledger).participant_id
    key, rows = ledger.store.select_stored_key(person), ledger.store.select_of_subject(person)
    secrets = [key, *(row.ciphertext[:48] for row in rows)]
    assert all(any(one in content for content in bytes_of(env)) for one in secrets)
    erase(ledger, person)
    left = bytes_of(env)
    gone = secrets if "SQLITE_DBNAME" in env else secrets[:1]  # PostgreSQL's vacuum leaves rows'.
    assert not any(one in content for content in left for one in gone)
    kept = ledger.store.select_stored_key(others[0])
    assert any(kept in content for content in left)


def test_erasures_are_found_through_their_index(ledger):
    """However long the log is: each start asks for them."""
    explain = "EXPLAIN" if isinstance(ledger.store.key(uuid4()), UUID) else "EXPLAIN QUERY PLAN"
    plan = ledger.store.rows((f"{explain} {schema.SELECT_ERASURES}", []))
    assert "events_of_erasures" in str(plan)


def bytes_of(env) -> list[bytes]:
    """What is on the disk of the vault's tables."""
    if path := env.get("SQLITE_DBNAME"):
        return [one.read_bytes() for one in Path(path).parent.glob("gwc.db*")]
    with psycopg.connect(env["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        read = "SELECT pg_read_binary_file(pg_relation_filepath(%s))"
        return [connection.execute(read, (one,)).fetchone()[0] for one in ("vault_keys", "vault")]


def test_what_a_hold_keeps_opens_under_the_new_key_alone(ledger):
    """The old key, which an old copy may still have, opens nothing any more; the audit's does."""
    citizen = registered(ledger)
    person = citizen.participant_id
    sealed = ledger.participant(person).registered.sealed
    old = ledger.store.select_stored_key(person)
    ledger.place_hold(someone(ledger, "approver"), person, "audit", ("phone",), NOW)
    erase(ledger, person)
    (row,) = ledger.store.select_of_subject(person)
    assert row.field == "phone"
    with pytest.raises(CommitmentBroken):
        ledger.vault._decrypted(row, old)
    (phone,) = [one for one in sealed if one.field == "phone"]
    ledger.vault.check(person, phone)
    assert ledger.vault.opened(person, phone) is None


def test_an_old_key_put_back_under_a_hold_is_exchanged_again(ledger, open_ledger):
    """A restored key and its rows do not cost what is held: it gets yet another key."""
    person = registered(ledger).participant_id
    store = ledger.store
    old, rows = store.select_stored_key(person), store.select_of_subject(person)
    ledger.place_hold(someone(ledger, "approver"), person, "audit", ("phone",), NOW)
    erase(ledger, person)
    columns = [[store.key(row.originator_id), row.field, store.key(person), row.shelf,
                row.fingerprint, row.stored_at, row.nonce, row.ciphertext, row.position]
               for row in rows]  # fmt: skip
    store.write([
        ("DELETE FROM vault WHERE subject = ?", [[store.key(person)]]),
        ("INSERT INTO vault VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", columns),
        ("UPDATE vault_keys SET wrapped_key = ? WHERE subject = ?", [[old, store.key(person)]]),
    ])  # fmt: skip
    other = open_ledger()
    assert other.forget_again() == [person]
    assert [row.field for row in store.select_of_subject(person)] == ["phone"]
    assert store.select_stored_key(person) != old
    (phone,) = [one for one in ledger.participant(person).registered.sealed if one.field == "phone"]
    Vault(store, KEY).check(person, phone)
    assert other.forget_again() == []
