"""The fence: nothing gets past it at the same moment, and no bytes lie about behind it."""

from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import OperationalError

from ledger import searching
from ledger.audit import Disclosures, audit, rows_of
from ledger.erasure import erasing
from ledger.erasure.erasures import ErasureFenced, erasure_id
from ledger.errors import CommitmentBroken, InvalidInput
from ledger.facts import Entry
from ledger.store import fences, schema, sqlite
from ledger.store.errors import SubjectFenced
from ledger.store.rows import Fence
from ledger.vault import Vault
from ledger.words import FIELDS
from tests.ledger.erasing import erase, registered
from tests.ledger.examples import NOW, a_report, contribute, someone

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


def test_the_audit_is_green_at_every_moment_of_a_limited_erasure(ledger):
    """What a hold keeps always opens, and what it does not keep opens or is gone: also between
    two steps, and when the key is exchanged between the row and the key that the audit reads.
    """
    person, store = registered(ledger).participant_id, ledger.store
    ledger.place_hold(someone(ledger, "approver"), person, "audit", ("phone",), NOW)
    select, write, found = store.select_vault, store.write, []

    def audited() -> None:
        found.extend(audit(rows_of(ledger), Disclosures(ledger.vault, store)))

    def watched(statements) -> None:
        write(statements)
        audited()

    def late(originator, field=None):
        rows = select(originator, field)
        if rows and field == "phone":
            store.select_vault = select
            erase(ledger, person)
        return rows

    store.write, store.select_vault = watched, late
    audited()
    assert ledger.erasure(person).step == "limited"
    assert found == []


def test_many_rows_go_a_few_at_a_time(ledger, monkeypatch):
    """Nobody waits for all rows of a subject: each transaction is short, and the counts are whole.
    """
    person, store = registered(ledger).participant_id, ledger.store
    rows = [ledger.vault.seal(uuid4(), person, "text", "x", NOW)[1] for _ in range(40)]
    store.insert_events([], vault_rows=rows)
    write, most = store.write, []
    monkeypatch.setattr(erasing, "ROWS_AT_ONCE", 7)

    def measured(statements) -> None:
        most.append(max(len(rows) for _, rows in statements))
        write(statements)

    store.write = measured
    erase(ledger, person)
    assert max(most) <= 7
    assert ledger.erasure(person).completed.rows == 44
    assert store.select_of_subject(person) == []


def test_each_question_looks_at_a_part_of_the_log(ledger, monkeypatch):
    """However long it is: a question of the whole is ended by the database's time-out."""
    monkeypatch.setattr(searching, "WINDOW", 10)
    select, spans = ledger.store.select_matching, []

    def watched(match, after, through, limit):
        spans.append(through - after)
        return select(match, after, through, limit)

    ledger.store.select_matching = watched
    person = registered(ledger).participant_id
    for number in range(30):
        contribute(ledger, "report", someone(ledger), a_report(str(number)))
    erase(ledger, person)
    assert ledger.erasure(person).completed.tokens == 1
    assert max(spans) == 10


@pytest.mark.parametrize("env", ["sqlite"], indirect=True)
def test_emptying_the_log_of_writes_keeps_nobody_from_writing(ledger, env, monkeypatch):
    """While somebody reads for long, the erasure waits for them, and the others do not."""
    monkeypatch.setattr(sqlite, "SCRUB_SECONDS_MAX", 1.0)
    citizen = someone(ledger)
    with closing(sqlite3.connect(env["SQLITE_DBNAME"], isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        contribute(ledger, "report", citizen, a_report("before"))
        with ThreadPoolExecutor(1) as pool:
            scrubbing = pool.submit(ledger.store.scrub)
            time.sleep(0.2)
            began = time.monotonic()
            contribute(ledger, "report", citizen, a_report("meanwhile"))
            assert time.monotonic() - began < 0.8
            with pytest.raises(OperationalError):
                scrubbing.result(timeout=10)
        reader.execute("COMMIT")
        ledger.store.scrub()


@pytest.mark.parametrize("env", ["postgres"], indirect=True)
def test_a_large_table_of_keys_is_not_written_anew(ledger, env, monkeypatch):
    """Nobody is stopped for seconds whenever somebody is erased; a small table is scrubbed."""

    def file() -> str:
        with psycopg.connect(env["DATABASE_URL"]) as connection:
            asked = "SELECT pg_relation_filepath('vault_keys')"
            return connection.execute(asked).fetchone()[0]

    erase(ledger, registered(ledger).participant_id)
    before = file()
    ledger.store.scrub()
    assert (small := file()) != before
    monkeypatch.setattr(fences, "KEYS_BYTES_MAX", 0)
    ledger.store.scrub()
    assert file() == small


@pytest.mark.parametrize(("field", "there"), [
    ("photos", ", ".join(sorted(FIELDS))), ("Name", "alias"), ("", "alias"), ("alias-2", "alias"),
    ("photo", "as photo; there is: alias, name, phone"),
])  # fmt: skip
def test_a_hold_on_a_misspelt_field_is_refused(ledger, field, there):
    """It would keep nothing, and nobody would know before it was gone."""
    person, approver = registered(ledger).participant_id, someone(ledger, "approver")
    with pytest.raises(InvalidInput) as refused:
        ledger.place_hold(approver, person, "audit", ("name", field), NOW)
    assert there in refused.value.errors[0].en
    assert ledger.erasure(person).holds == {}


def test_a_fence_set_while_another_process_starts_is_for_who_set_it(
    ledger, open_ledger, monkeypatch
):
    """Who starts and had looked at the fences before leaves the rest to whoever erases now."""
    person = registered(ledger).participant_id
    ledger.ask_erasure(None, person, "other", NOW)
    other = open_ledger()
    brought_back = other.store.select_brought_back

    def fenced_meanwhile() -> list[UUID]:
        assert ledger._fence(person, NOW) == "fenced"
        return brought_back()

    monkeypatch.setattr(other.store, "select_brought_back", fenced_meanwhile)
    assert other.forget_again() == []
    assert ledger.run_erasure(person, NOW).state == "completed"
