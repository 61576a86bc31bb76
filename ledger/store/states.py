"""The stored bytes of facts, for folds of the whole log that decode only what they sum up.

An SQLite file is read past the recorder: on a hundred thousand facts the row objects alone would
cost as much as the fold, and a command that only reads needs neither keys nor a writer.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ledger.store.errors import as_persistence_error

PAGE = 10_000
STATES = """
SELECT topic, state FROM events WHERE topic IN (SELECT value FROM json_each(?))
AND position <= ? AND recorded_at <= ?
"""
EVER = 2**63 - 1


def states(
    env: Mapping[str, str], topics: Sequence[str], *, through: int = EVER, until: int = EVER
) -> Iterator[tuple[str, bytes]]:
    """The stored names and states of the facts of these topics in the store that ``env`` names.

    ``through`` is a position, ``until`` microseconds since 1970 UTC; both inclusive. Raises the
    library's PersistenceError for a database that cannot be read.
    """
    path = env.get("SQLITE_DBNAME")
    if path is not None and Path(path).is_file():
        yield from _past_the_recorder(path, topics, through, until)
    else:
        yield from _by_recorder(env, topics, through, until)


def _past_the_recorder(
    path: str, topics: Sequence[str], through: int, until: int
) -> Iterator[tuple[str, bytes]]:
    try:
        with closing(sqlite3.connect(path)) as connection:
            yield from connection.execute(STATES, (json.dumps(topics), through, until))
    except sqlite3.Error as error:
        raise as_persistence_error(error) from error


def _by_recorder(
    env: Mapping[str, str], topics: Sequence[str], through: int, until: int
) -> Iterator[tuple[str, bytes]]:
    from eventsourcing.persistence import InfrastructureFactory
    from eventsourcing.utils import Environment

    factory = InfrastructureFactory.construct(Environment(env=dict(env)))
    try:
        recorder: Any = factory.application_recorder()
        after = 0
        while rows := recorder.select_notifications(
            after, PAGE, through, topics, inclusive_of_start=False
        ):
            yield from ((row.topic, row.state) for row in rows if row.recorded_at <= until)
            after = rows[-1].id
    finally:
        factory.close()
