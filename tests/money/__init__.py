"""Coins under load and in any order."""

import pytest

# They assert as well, and a failure should show both sides.
pytest.register_assert_rewrite("tests.money.books", "tests.money.machine")
