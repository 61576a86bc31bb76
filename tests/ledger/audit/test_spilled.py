"""Spilled mappings: as a dict, whatever of them is on the disk."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ledger.audit import audit, rows_of, spilled
from ledger.audit.spilled import Spilled, SpilledSet, SpillFailed
from ledger.coins import Part
from ledger.contributions.base import State
from ledger.contributions.patrol import PatrolRecorded
from ledger.wallet import Hold, Wallet
from tests.ledger.examples import NOW

keys = st.integers(0, 12).map(lambda number: UUID(int=number << 64))
DAY = date(2026, 5, 1)


class AsADict(RuleBasedStateMachine):
    """Does the same to a mapping of which two values stay in memory, and to a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.spilled: Spilled[UUID, list[int]] = Spilled(1)
        self.right: dict[UUID, list[int]] = {}

    @rule(key=keys, value=st.integers())
    def put(self, key, value):
        self.spilled[key] = [value]
        self.right[key] = [value]

    @rule(key=keys, value=st.integers())
    def change_in_place(self, key, value):
        self.spilled.setdefault(key, []).append(value)
        self.right.setdefault(key, []).append(value)

    @rule(key=keys)
    def look(self, key):
        assert self.spilled.get(key) == self.right.get(key)
        assert (key in self.spilled) == (key in self.right)

    @rule(key=keys)
    def take_out(self, key):
        assert self.spilled.pop(key, None) == self.right.pop(key, None)

    @rule()
    def list_all(self):
        right = sorted((key.bytes, value) for key, value in self.right.items())
        assert list(self.spilled.items()) == right

    @invariant()
    def little_is_in_memory(self):
        assert len(self.spilled._new) <= 2


TestAsADict = AsADict.TestCase
TestAsADict.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_what_the_audit_keeps_comes_back_as_it_was():
    """Wallets and states of contributions survive the disk, all of their parts."""
    now = datetime(2026, 5, 1, tzinfo=UTC)
    wallet = Wallet(lots={DAY: {1: 2}}, holds={UUID(int=1): Hold(UUID(int=2), 1, "2026-05", (
        Part(1, 2, DAY),
    ))}, earned={DAY: {"patrol": 2}}, paid=[(now, now)])  # fmt: skip
    recorded = PatrolRecorded(
        participant_id=UUID(int=3), role="citizen", role_district=None, districts=("1",),
        earned_on=DAY, body_digest="",
    )  # fmt: skip
    state = State(state="review", recorded=recorded, hands=frozenset({UUID(int=3)}))
    kept: Spilled[UUID, object] = Spilled(1)
    for number, value in enumerate((wallet, ("patrol", state), 1, 2, 3)):
        kept[UUID(int=number)] = value
    assert kept[UUID(int=0)] == wallet
    assert kept[UUID(int=1)] == ("patrol", state)


def test_a_set_keeps_what_was_added():
    """Members stay, those on the disk too, until they are discarded."""
    found: SpilledSet[str] = SpilledSet(1)
    for number in range(9):
        found.add(f"key {number}")
    found.discard("key 3")
    assert [number for number in range(10) if f"key {number}" in found] == [0, 1, 2, 4, 5, 6, 7, 8]


def test_what_is_not_there_is_told():
    """Asking for a key that was never put is a KeyError, as with a dict."""
    found: Spilled[str, int] = Spilled(1)
    for number in range(5):
        found[str(number)] = number
    for ask in (lambda: found["x"], lambda: found.pop("x")):
        with pytest.raises(KeyError):
            ask()


class OnAFullDisk:
    """A check that cannot keep what it sees."""

    def check(self, entry):
        raise SpillFailed(sqlite3.OperationalError("database or disk is full"))

    def lost(self, originator):
        pass

    def end(self):
        return iter(())


def test_a_full_disk_is_told_as_what_it_is(monkeypatch):
    """What cannot be spilled is an error of the machine's own, whichever step it was."""
    file = sqlite3.connect("", isolation_level=None)
    file.execute("CREATE TABLE spilled (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")
    file.execute("PRAGMA max_page_count = 2")
    monkeypatch.setattr(spilled, "_opened", lambda: file)
    found: Spilled[str, str] = Spilled(1)
    found["1"] = found["2"] = "x" * 100_000
    with pytest.raises(SpillFailed, match=r"TMPDIR.*full"):
        found["3"] = "x"
    file.close()
    for ask in (lambda: found.get("y"), lambda: found.pop("y"), lambda: list(found.items())):
        with pytest.raises(SpillFailed):
            ask()


def test_a_full_disk_is_no_finding(ledger):
    """An honest log is not accused where a check had no room: the audit ends there."""
    ledger.ensure_policy(NOW)
    with pytest.raises(SpillFailed):
        list(audit(rows_of(ledger), OnAFullDisk()))
