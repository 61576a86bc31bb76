"""A ledger and a service on every database, as the tests of each have them."""

from __future__ import annotations

import pytest

from tests.api.conftest import app, caller, clock, environ, services  # noqa: F401  (fixtures)
from tests.campaigns.offline import City
from tests.ledger.conftest import env, ledger, open_ledger  # noqa: F401  (fixtures)


@pytest.fixture
def city(ledger) -> City:  # noqa: F811
    """A city whose visits are edited."""
    return City(ledger)
