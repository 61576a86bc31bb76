"""A GPX file as a patrol, through the same door as one sent by a phone."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid5

import msgspec

from ledger.application import Ledger
from ledger.contributions.patrol import PATROL, PatrolBody, TrackBody
from ledger.errors import Forbidden, LedgerError, NotFound
from ledger.facts import Text
from ledger.participants import Actor
from ledger.settlement import reason_text
from ledger.tracks import GpxProblem, Metrics, read_gpx

FILES = UUID("2f5a9f0c-54c1-5a53-8d55-30d1d1a6f7b2")  # our own namespace for submissions of files


class Outcome(NamedTuple):
    """What became of one file: valid, review, rejected, invalid or unreadable."""

    verdict: str
    coins: int = 0
    length_m: int | None = None
    reasons: tuple[tuple[str, Text], ...] = ()
    replayed: bool = False


def import_file(
    ledger: Ledger, file: Path, actor: Actor, reach: str | None, now: datetime
) -> Outcome:
    """Send a file in for somebody who may patrol; whatever is wrong with it is an Outcome."""
    try:
        data = file.read_bytes()
        track = read_gpx(data)
    except GpxProblem as problem:
        return Outcome("unreadable", reasons=((problem.code, Text(problem.zh, problem.en)),))
    except OSError as error:
        said = error.strerror or "error"
        return Outcome("unreadable", reasons=(("unreadable", Text(said, said)),))
    body = PatrolBody(
        crs=track.crs,
        track=TrackBody(track.coordinates, track.times or None, track.accuracies or None),
        reach_id=reach,
    )
    submission = uuid5(FILES, sha256(data).hexdigest())
    try:
        receipt = ledger.contribute(
            PATROL, actor, body, msgspec.to_builtins(body), submission, now
        )
    except LedgerError as error:
        told = error.errors or (None,)
        reasons = tuple(
            (one.code, Text(f"{one.path}：{one.zh}", f"{one.path}: {one.en}")) if one
            else (error.code, Text(error.sentence_zh, error.sentence_en))
            for one in told
        )  # fmt: skip
        return Outcome("invalid", reasons=reasons)
    assert isinstance(receipt.metrics, Metrics)
    reasons = tuple((code, reason_text(code)) for code in receipt.reasons)
    return Outcome(
        receipt.state, receipt.coins, receipt.metrics.length_m, reasons, receipt.replayed
    )


def patrolling(ledger: Ledger, participant: UUID) -> Actor:
    """The participant in the first of their roles that may patrol.

    Raises NotFound for one nobody registered, Forbidden where no role may patrol.
    """
    person = ledger.participant(participant)
    if person.registered is None:
        raise NotFound
    for role, district in person.roles.items():
        if role in PATROL.contributors:
            return Actor(participant, role, district)
    raise Forbidden
