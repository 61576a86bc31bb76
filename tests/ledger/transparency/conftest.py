"""A log that is signed so far, for the tests of the notary."""

from __future__ import annotations

import pytest

from tests.ledger.transparency.notary_logs import GROWN, SIGNED, Desk


@pytest.fixture
def desk(open_ledger, tmp_path) -> Desk:
    """A log of 300 signed entries and ten more, on each database."""
    desk = Desk(open_ledger(), tmp_path / "log")
    desk.append(SIGNED)
    assert desk.notary().step() == SIGNED
    desk.append(GROWN - SIGNED)
    return desk
