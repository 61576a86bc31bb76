"""The tables and the shared questions, once for both databases.

``?`` marks a parameter, as SQLite wants it; PostgreSQL's module rewrites it.
"""

from __future__ import annotations

import re
from typing import Any

TABLES = """
CREATE TABLE IF NOT EXISTS events (
    position {bigint} PRIMARY KEY,
    originator_id {uuid} NOT NULL,
    originator_version {bigint} NOT NULL,
    topic TEXT NOT NULL,
    state {bytes} NOT NULL,
    recorded_at {bigint} NOT NULL,
    leaf_hash {bytes} NOT NULL CHECK (length(leaf_hash) = 32),
    UNIQUE (originator_id, originator_version)
){strict};
CREATE TABLE IF NOT EXISTS snapshots (
    originator_id {uuid} NOT NULL,
    originator_version {bigint} NOT NULL,
    topic TEXT NOT NULL,
    state {bytes} NOT NULL,
    recorded_at {bigint} NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
){strict};
CREATE TABLE IF NOT EXISTS vault_keys (
    subject {uuid} PRIMARY KEY,
    wrapped_key {bytes} NOT NULL
){strict};
CREATE TABLE IF NOT EXISTS vault (
    originator_id {uuid} NOT NULL,
    field TEXT NOT NULL,
    subject {uuid} NOT NULL,
    shelf TEXT,
    fingerprint {bytes} UNIQUE,
    stored_at {bigint} NOT NULL,
    nonce {bytes} NOT NULL,
    ciphertext {bytes} NOT NULL,
    position {bigint} NOT NULL,
    PRIMARY KEY (originator_id, field)
){strict};
CREATE INDEX IF NOT EXISTS vault_by_shelf ON vault (shelf, position DESC);
CREATE INDEX IF NOT EXISTS vault_by_subject ON vault (subject);
CREATE TABLE IF NOT EXISTS vault_fences (
    subject {uuid} NOT NULL,
    position {bigint} NOT NULL,
    prints TEXT NOT NULL,
    kept TEXT NOT NULL,
    visits TEXT NOT NULL,
    keys_destroyed {bigint} NOT NULL DEFAULT 0,
    rows_destroyed {bigint} NOT NULL DEFAULT 0,
    photos_destroyed {bigint} NOT NULL DEFAULT 0,
    PRIMARY KEY (subject, position)
){strict};
CREATE INDEX IF NOT EXISTS events_of_erasures ON events (originator_id)
    WHERE substr(topic, 1, 5) IN ('erasu', 'hold.');
CREATE TABLE IF NOT EXISTS quotas (
    key TEXT PRIMARY KEY,
    used {bigint} NOT NULL
){strict};
CREATE TABLE IF NOT EXISTS log_head (
    one {bigint} PRIMARY KEY CHECK (one = 1),
    log_id TEXT NOT NULL,
    origin TEXT NOT NULL,
    size {bigint} NOT NULL,
    root {bytes} NOT NULL
){strict}
"""

MAX_POSITION = "SELECT coalesce(max(position), 0) FROM events"
LATEST = "SELECT originator_id, max(originator_version) FROM events"
INSERT_KEY = (
    "INSERT INTO vault_keys SELECT ?, ? WHERE NOT EXISTS"
    " (SELECT 1 FROM vault_fences WHERE subject = ?) ON CONFLICT (subject) DO NOTHING"
)
# A subject behind a fence has no key, whatever a restored table says.
SELECT_KEY = (
    "SELECT wrapped_key FROM vault_keys WHERE subject = ? AND NOT EXISTS"
    " (SELECT 1 FROM vault_fences AS fence WHERE fence.subject = vault_keys.subject)"
)
SELECT_SOME_KEY = "SELECT subject, wrapped_key FROM vault_keys LIMIT 1"
SELECT_VAULT = "SELECT * FROM vault WHERE originator_id = ? ORDER BY field"
SELECT_VAULT_FIELD = "SELECT * FROM vault WHERE originator_id = ? AND field = ?"
SELECT_FIELDS = "SELECT field, subject FROM vault WHERE originator_id = ? ORDER BY field"
# In two steps, for else SQLite's planner reads the whole table, index or not.
SELECT_ERASURES = (
    "SELECT * FROM events WHERE position IN (SELECT position FROM events"
    " WHERE substr(topic, 1, 5) IN ('erasu', 'hold.')) ORDER BY position"
)
SELECT_SHELF = "SELECT * FROM vault WHERE shelf = ? ORDER BY position DESC LIMIT ?"
# A commit's rows share a position, so a page must be able to hold them all.
SELECT_SHELF_AFTER = (
    "SELECT * FROM vault WHERE shelf = ? AND position > ? ORDER BY position, originator_id, field"
    " LIMIT ?"
)
# One statement, and so of one moment.
SELECT_QUOTAS = (
    "SELECT log.head, quotas.key, quotas.used FROM"
    " (SELECT coalesce(max(position), 0) AS head FROM events) AS log LEFT JOIN quotas ON true"
    " ORDER BY quotas.key"
)
SELECT_USED = "SELECT used FROM quotas WHERE key = ?"
KEEP_USED = (
    "INSERT INTO quotas VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET used = excluded.used"
)
INSERT_SNAPSHOT = (
    "INSERT INTO snapshots VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (originator_id, originator_version) DO UPDATE"
    " SET topic = excluded.topic, state = excluded.state, recorded_at = excluded.recorded_at"
)
DELETE_OLDER_SNAPSHOTS = (
    "DELETE FROM snapshots WHERE originator_id = ? AND originator_version <"
    " (SELECT max(originator_version) FROM snapshots WHERE originator_id = ?)"
)

Question = tuple[str, list[Any]]


def relations(tables: str, kinds: str = "TABLE|INDEX") -> list[str]:
    """The names of the tables, or of tables and indexes, that these statements make."""
    return re.findall(rf"CREATE (?:{kinds}) IF NOT EXISTS (\w+)", tables)


def select_sequence(
    table: str, originator_id: str, gt: int | None, lte: int | None, desc: bool, limit: int | None
) -> Question:
    """The rows of one originator in ``table`` (events or snapshots), by version."""
    sql, parameters = f"SELECT * FROM {table} WHERE originator_id = ?", [originator_id, gt, lte]
    if gt is not None:
        sql += " AND originator_version > ?"
    if lte is not None:
        sql += " AND originator_version <= ?"
    sql += " ORDER BY originator_version" + (" DESC" if desc else "")
    if limit is not None:
        sql += " LIMIT ?"
        parameters.append(limit)
    return sql, [value for value in parameters if value is not None]


def select_positions(
    start: int | None, limit: int, stop: int | None, topics_clause: Question, inclusive: bool
) -> Question:
    """The rows of the log from ``start`` to ``stop``, by position."""
    clauses: list[str] = []
    parameters: list[Any] = []
    if start is not None:
        clauses.append("position >= ?" if inclusive else "position > ?")
        parameters.append(start)
    if stop is not None:
        clauses.append("position <= ?")
        parameters.append(stop)
    if topics_clause[0]:
        clauses.append(topics_clause[0])
        parameters += topics_clause[1]
    where = " WHERE " + " AND ".join(clauses) if clauses else ""
    return f"SELECT * FROM events{where} ORDER BY position LIMIT ?", [*parameters, limit]
