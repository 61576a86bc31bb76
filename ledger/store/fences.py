"""Fences (围栏) of the vault, and what is destroyed behind them.

A store that only knows "there is a key" or "there is none" cannot tell *erased* from *not made
yet*: the next write would quietly make a new key, and a copy bring the old one back. The fence of
a subject is committed with the fact that says so, before anything is destroyed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

import msgspec

from ledger.store.mapper import as_uuid
from ledger.store.rows import Fence, VaultRow
from ledger.store.vault_tables import VaultTables

Place = tuple[UUID, str]
"""Where a vault row is: its originator and field."""

INSERT_FENCE = (
    "INSERT INTO vault_fences (subject, position, prints, kept, visits) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (subject, position) DO NOTHING"
)
SELECT_FENCES = "SELECT subject, position, prints, kept, visits FROM vault_fences ORDER BY position"
SELECT_FENCED = "SELECT 1 FROM vault_fences WHERE subject = ? LIMIT 1"
SELECT_STORED_KEY = "SELECT wrapped_key FROM vault_keys WHERE subject = ?"
SELECT_KEYS_AFTER = "SELECT subject, wrapped_key FROM vault_keys{} ORDER BY subject LIMIT ?"
SELECT_OF_SUBJECT = "SELECT * FROM vault WHERE subject = ? ORDER BY originator_id, field"
SELECT_PLACES = "SELECT originator_id, field FROM vault WHERE subject = ?"
SELECT_PLACES_OF_VISIT = (
    "SELECT originator_id, field FROM vault WHERE originator_id = ? AND position < ?"
)
SELECT_BROUGHT_BACK = (
    "SELECT DISTINCT subject FROM vault_fences WHERE visits <> '[]'"
    " OR EXISTS (SELECT 1 FROM vault_keys WHERE vault_keys.subject = vault_fences.subject)"
    " OR EXISTS (SELECT 1 FROM vault WHERE vault.subject = vault_fences.subject)"
)
SELECT_DESTROYED = (
    "SELECT coalesce(sum(keys_destroyed), 0), coalesce(sum(rows_destroyed), 0),"
    " coalesce(sum(photos_destroyed), 0) FROM vault_fences WHERE subject = ?"
)
SELECT_FENCES_OF_VISITS = (
    "SELECT position, visits FROM vault_fences WHERE visits <> '[]' AND position > ?"
    " ORDER BY position"
)
# Whoever destroys for a subject waits here for whoever does so already: each row counts once.
LOCK_FENCE = (
    "UPDATE vault_fences SET rows_destroyed = rows_destroyed WHERE subject = ? AND position = ?"
)
COUNT_ROW = (
    "UPDATE vault_fences SET"
    " rows_destroyed = rows_destroyed"
    " + (SELECT count(*) FROM vault WHERE originator_id = ? AND field = ?),"
    " photos_destroyed = photos_destroyed"
    " + (SELECT count(*) FROM vault WHERE originator_id = ? AND field = ?"
    " AND substr(field, 1, 6) = 'photo/')"
    " WHERE subject = ? AND position = ?"
)
DELETE_ROW = "DELETE FROM vault WHERE originator_id = ? AND field = ?"
COUNT_KEY = (
    "UPDATE vault_fences SET keys_destroyed = keys_destroyed"
    " + (SELECT count(*) FROM vault_keys WHERE vault_keys.subject = ? AND wrapped_key = ?)"
    " WHERE subject = ? AND position = ?"
)
DELETE_KEY = "DELETE FROM vault_keys WHERE subject = ? AND wrapped_key = ?"
# Only while the key is still the old one: of two who do this at once the second changes nothing.
RESEAL_ROW = (
    "UPDATE vault SET nonce = ?, ciphertext = ? WHERE originator_id = ? AND field = ? AND EXISTS"
    " (SELECT 1 FROM vault_keys WHERE vault_keys.subject = vault.subject AND wrapped_key = ?)"
)
REPLACE_KEY = "UPDATE vault_keys SET wrapped_key = ? WHERE subject = ? AND wrapped_key = ?"

# PostgreSQL, locks of a transaction. Whoever stores a key shares it, whoever sets a fence has it
# alone: a key is stored before the fence is, and then destroyed behind it, or sees the fence.
KEYS_LOCK = 0x6757_C015
SHARE_KEYS = f"SELECT pg_advisory_xact_lock_shared({KEYS_LOCK})"
STOP_KEYS = f"SELECT pg_advisory_xact_lock({KEYS_LOCK})"
# Rows are gone for every question; their bytes lie in the pages until those are used again. A small
# table of keys is written anew, which stops every command meanwhile: 0.2 s for 100,000 keys, 2 s
# for a million, so that is for its owner to do at night.
KEYS_ARE_FEW = "SELECT pg_table_size('vault_keys') < %s"
KEYS_BYTES_MAX = 20_000_000
POSTGRES_SCRUB = ("VACUUM vault", "SET lock_timeout = '2s'", "VACUUM (FULL) vault_keys")
POSTGRES_SCRUB_LARGE = ("VACUUM vault", "VACUUM vault_keys")

_list = msgspec.json.Encoder().encode


class FencedVault(VaultTables):
    """What an erasure asks of a recorder; everything may be done twice."""

    def keep_fences(self, fences: Iterable[Fence]) -> None:
        """Stores fences that are known from elsewhere; those there already stay as they are."""
        if rows := [fence_row(one, one.position, self.key) for one in fences]:
            self.write([(INSERT_FENCE, rows)])

    def select_fences(self) -> list[Fence]:
        """Every fence, in the order they were set."""
        return [
            Fence(
                as_uuid(subject), _texts(prints), _texts(kept),
                tuple(map(UUID, _texts(visits))), position,
            )
            for subject, position, prints, kept, visits in self.rows((SELECT_FENCES, []))
        ]  # fmt: skip

    def is_fenced(self, subject: UUID) -> bool:
        """Whether a subject gets nothing any more."""
        return bool(self.rows((SELECT_FENCED, [self.key(subject)])))

    def select_stored_key(self, subject: UUID) -> bytes | None:
        """The wrapped key that is stored for a subject, also behind a fence."""
        rows = self.rows((SELECT_STORED_KEY, [self.key(subject)]))
        return rows[0][0] if rows else None

    def select_stored_keys(self, after: UUID | None, limit: int) -> list[tuple[UUID, bytes]]:
        """Subjects and wrapped keys, page by page."""
        where, asked = (" WHERE subject > ?", [self.key(after)]) if after else ("", [])
        rows = self.rows((SELECT_KEYS_AFTER.format(where), [*asked, limit]))
        return [(as_uuid(subject), wrapped) for subject, wrapped in rows]

    def select_of_subject(self, subject: UUID) -> list[VaultRow]:
        """Every row under a subject's key."""
        return self._vault((SELECT_OF_SUBJECT, [self.key(subject)]))

    def select_places(self, fence: Fence) -> list[Place]:
        """Where the rows are that go behind a fence."""
        kept = set(fence.kept)
        own = self.rows((SELECT_PLACES, [self.key(fence.subject)]))
        places = {(as_uuid(one), field) for one, field in own if plain(field) not in kept}
        for visit in fence.visits:
            asked = [self.key(visit), fence.position]
            found = self.rows((SELECT_PLACES_OF_VISIT, asked))
            places.update((as_uuid(one), field) for one, field in found)
        return sorted(places)

    def select_brought_back(self) -> list[UUID]:
        """The subjects behind fences of whom there is something."""
        return [as_uuid(one) for (one,) in self.rows((SELECT_BROUGHT_BACK, []))]

    def select_destroyed(self, subject: UUID) -> tuple[int, int, int]:
        """How many keys, rows and photos among them were destroyed behind a subject's fences."""
        ((keys, rows, photos),) = self.rows((SELECT_DESTROYED, [self.key(subject)]))
        return int(keys), int(rows), int(photos)

    def select_fences_of_visits(self, after: int) -> list[tuple[int, list[UUID]]]:
        """The fences behind a position that name visits, in order, each with those it names."""
        found = self.rows((SELECT_FENCES_OF_VISITS, [after]))
        return [(position, list(map(UUID, _texts(visits)))) for position, visits in found]

    def destroy(self, fence: Fence, places: Sequence[Place], wrapped: bytes | None) -> None:
        """Deletes rows and, where one is given, the key; and counts them, in one transaction."""
        at = [self.key(fence.subject), fence.position]
        spots = [[self.key(originator), field] for originator, field in places]
        statements = [
            (LOCK_FENCE, [at]),
            (COUNT_ROW, [[*spot, *spot, *at] for spot in spots]),
            (DELETE_ROW, spots),
        ]
        if wrapped is not None:
            statements += [
                (COUNT_KEY, [[at[0], wrapped, *at]]), (DELETE_KEY, [[at[0], wrapped]]),
            ]  # fmt: skip
        self.write([(sql, rows) for sql, rows in statements if rows])

    def reseal(
        self, fence: Fence, old: bytes, new: bytes, rows: Sequence[VaultRow]
    ) -> None:
        """Puts a new key in place of a subject's, and the rows as they are under it."""
        at = [self.key(fence.subject), fence.position]
        resealed = [
            [row.nonce, row.ciphertext, self.key(row.originator_id), row.field, old]
            for row in rows
        ]  # fmt: skip
        statements = [
            (LOCK_FENCE, [at]), (RESEAL_ROW, resealed), (COUNT_KEY, [[at[0], old, *at]]),
            (REPLACE_KEY, [[new, at[0], old]]),
        ]  # fmt: skip
        self.write([(sql, rows) for sql, rows in statements if rows])


def fence_row(fence: Fence, position: int, key: Callable[[UUID], object]) -> list[object]:
    """The parameters of INSERT_FENCE; ``key`` makes one of a subject."""
    visits = [str(one) for one in fence.visits]
    lists = [_list(one).decode() for one in (fence.prints, fence.kept, visits)]
    return [key(fence.subject), position, *lists]


def plain(field: str) -> str:
    """What a field is of: ``photo/<digest>``, ``alias-3`` and ``edit@2`` without what follows."""
    for mark in "/@-":
        field = field.partition(mark)[0]
    return field


def _texts(stored: str) -> tuple[str, ...]:
    return tuple(msgspec.json.decode(stored, type=list[str]))
