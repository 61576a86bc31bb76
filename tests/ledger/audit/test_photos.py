"""Photos that nobody could have added: of other bytes, by a stranger, to what was withdrawn."""

from __future__ import annotations

from uuid import UUID, uuid4

import msgspec
import pytest

from ledger.contributions.base import State
from ledger.contributions.evidence import PHOTO_FIELD, Photo, PhotosAdded
from ledger.log import Append
from tests.ledger.examples import NOW, a_report, a_visit, contribute, someone, verify

PHOTO = Photo("image/jpeg", b"x")


@pytest.fixture
def add(town):
    """Adds photos past every decision, with what is sealed of them; the position."""

    def write(cause: UUID, by: UUID, named=(PHOTO.digest,), **kept: object) -> int:
        sealed, rows = [], []
        for name, value in kept.items():
            one, row = town.vault.seal(cause, by, PHOTO_FIELD + name, value, NOW)
            sealed.append(one)
            rows.append(row)
        fact = PhotosAdded(
            photos=named, sealed=tuple(sealed), by=by, command_id=uuid4(), body_digest=""
        )
        version = town.fold(cause, State()).version
        return town.append([Append(cause, version, [fact])], NOW, vault_rows=rows)[0].position

    return write


@pytest.fixture
def found(findings):
    return lambda: [(one.code, one.position) for one in findings()]


@pytest.fixture
def visit(town):
    """A visit that waits for its review, and who made it."""
    worker = someone(town, "grid_worker")
    return contribute(town, "visit", worker, a_visit("H-0009")).id, worker


def test_a_photo_is_of_the_bytes_that_its_name_says(visit, add, found):
    """Other bytes under a digest, or what is no photo at all, are found; the right ones are not."""
    cause, worker = visit
    person, right = worker.participant_id, msgspec.to_builtins(PHOTO)
    add(cause, person, **{PHOTO.digest: right})
    assert found() == []
    other, none = "ab" * 32, "cd" * 32
    first = add(cause, person, (other,), **{other: right})
    second = add(cause, person, (none,), **{none: "no photo"})
    assert found() == [("VAULT", first), ("VAULT", second)]


def test_what_is_kept_is_named(visit, add, found):
    """A photo in the vault that the fact does not list is found."""
    cause, worker = visit
    kept = {PHOTO.digest: msgspec.to_builtins(PHOTO)}
    position = add(cause, worker.participant_id, ("ab" * 32,), **kept)
    assert found() == [("VAULT", position)]


def test_a_stranger_adds_no_photo_also_to_what_was_settled(town, add, found):
    """Whose a contribution is stays known when it is paid; its owner still adds photos to it."""
    citizen = someone(town)
    report = contribute(town, "report", citizen, a_report())
    verify(town, report, someone(town, "dispatcher"), tier=2)
    add(report.id, citizen.participant_id)
    assert found() == []
    position = add(report.id, someone(town).participant_id)
    assert found() == [("ACTOR", position)]


def test_a_withdrawn_visit_gets_no_photo(town, visit, add, found):
    """Before it is withdrawn photos are added, and none behind."""
    cause, worker = visit
    add(cause, worker.participant_id)
    town.withdraw_visit(worker, cause, {}, uuid4(), NOW)
    assert found() == []
    position = add(cause, worker.participant_id)
    assert found() == [("OUT_OF_PLACE", position)]
