"""A case of offline edits: a script, what must stand at the end, and arrivals.

The notation is that of ``offline.py``. Where no arrivals are given, the steps arrive forwards,
backwards, turned round, each pair swapped, and in parcels.
"""

from __future__ import annotations

import msgspec

MET = "v A outcome=met booklet=2 remark=旧"
TALKED = "v A outcome=met booklet=2 q1=bad q2=smell due=12-01"


class Case(msgspec.Struct, frozen=True):
    """What happens, what must come of it, and in which orders it arrives."""

    script: str
    ends: str = ""
    arrivals: tuple[str, ...] = ()
    state: str = "pending"
    codes: dict[str, str] = {}


def case(*lines: str, ends: str = "", at: str = "", state: str = "pending", **codes: str) -> Case:
    """``at``: arrivals, one a line; ``codes``: what a step is refused for at the end."""
    arrivals = tuple(line.strip() for line in at.strip().splitlines() if line.strip())
    return Case("\n".join(lines), ends, arrivals, state, codes)
