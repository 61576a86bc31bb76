"""gunicorn's configuration of a mutant: whatever version a decision was based on, it is recorded.

``gunicorn -c python:tests.money.unguarded``; the workers inherit what is changed here.
"""

from __future__ import annotations

from typing import Any

from api.server import *  # noqa: F403
from ledger.store import append as admission
from ledger.store.leaf import entry_tail


def _any_version(append: Any, log: admission.LogState) -> dict[str, int]:
    """As ``_versions_after``, but a version that is taken is replaced by the next one."""
    versions: dict[str, int] = {}
    for index, ((originator_id, _, topic, state, recorded_at), _tail) in enumerate(append.events):
        latest = versions.get(originator_id) or log.versions.get(originator_id, 0)
        columns = (originator_id, latest + 1, topic, state, recorded_at)
        tail = entry_tail(originator_id, latest + 1, topic, recorded_at, state)
        append.events[index] = (columns, tail)
        versions[originator_id] = latest + 1
    return versions


admission._versions_after = _any_version
