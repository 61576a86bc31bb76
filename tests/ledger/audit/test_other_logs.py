"""Logs that were published and that the database does not name: they bind it all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.audit import rows_of
from ledger.audit.other_logs import OtherLogs, other_logs
from ledger.transparency.notes import VerifierKey
from ledger.transparency.signing import Signer, new_key
from tests.ledger.audit.test_published import rewrite
from tests.ledger.transparency.notary_logs import Desk

SIGNED, GROWN = 300, 310
ID = "0" * 16


@pytest.fixture
def desk(open_ledger, tmp_path) -> Desk:
    """A log of 300 signed entries and ten more."""
    desk = Desk(open_ledger(), tmp_path / "logs" / ID)
    desk.append(SIGNED)
    desk.notary().step()
    desk.append(GROWN - SIGNED)
    return desk


def own(desk: Desk) -> list[VerifierKey]:
    return [Signer("any-name", desk.pem).verifier]


def told(desk: Desk, keys: list[VerifierKey]) -> list[tuple[str, int]]:
    """Codes and positions of everything that is told."""
    logs = other_logs(desk.folder.path.parent, keys)
    others = OtherLogs(logs, desk.store.select_log_head())
    assert len(list(others.beside(rows_of(desk.log)))) == len(desk.rows())
    return [(one.code, one.position) for one in others.findings]


def cut(desk: Desk, behind: int = 280) -> None:
    desk.tamper("DELETE FROM events WHERE position > ?", behind)


def forget(desk: Desk) -> None:
    desk.tamper("DELETE FROM log_head")


def rename(desk: Desk, log_id: str = "1" * 16, origin: str = "log.example/second") -> None:
    desk.tamper(f"UPDATE log_head SET log_id = '{log_id}', origin = '{origin}'")


FAULTS: dict[str, tuple[Callable[[Desk], object], list[tuple[str, int]]]] = {
    "nothing": (lambda _: None, []),
    "the head lost": (forget, [("HEAD", SIGNED)]),
    "the head lost, the end cut off": (
        lambda d: (forget(d), cut(d)), [("HEAD", SIGNED), ("FORK", 281)]
    ),
    "the head lost, a row rewritten": (
        lambda d: (forget(d), rewrite(d, 40)), [("HEAD", SIGNED), ("FORK", SIGNED)]
    ),
    "a log that ended, another begun": (rename, []),
    "another begun on a cut history": (lambda d: (rename(d), cut(d)), [("FORK", 281)]),
    "another begun of the same name": (
        lambda d: rename(d, origin="log.example/water"), [("HEAD", SIGNED)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("known", [True, False], ids=["our key", "no key"])
@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_signed_before_binds_the_database(fault, known, desk):
    """Whether the key is at hand or not: a log ends, or is found where it was taken away."""
    change, expected = FAULTS[fault]
    change(desk)
    assert told(desk, own(desk) if known else []) == expected


def test_a_history_that_was_replaced_is_known_by_our_signature(desk):
    """With another first entry the log is still ours, as our key signed it."""
    forget(desk)
    rewrite(desk, 1)
    assert told(desk, own(desk)) == [("HEAD", SIGNED), ("FORK", SIGNED)]


def test_logs_of_others_are_no_concern(desk):
    """Neither our key nor our first entry, no checkpoint, half a one, no entries: not told of."""
    rename(desk)
    rewrite(desk, 1)
    cut(desk)
    for name, content in (("half", b"log.example/water\n5\n"), ("huge", b"a\n" + b"9" * 5_000)):
        (desk.folder.path.parent / name).mkdir()
        (desk.folder.path.parent / name / "checkpoint").write_bytes(content)
    assert told(desk, [Signer("any-name", new_key()).verifier]) == []
    (desk.folder.path / "tile/entries/000").unlink()
    assert told(desk, []) == []
    assert told(desk, own(desk)) == [("FORK", 281)]
