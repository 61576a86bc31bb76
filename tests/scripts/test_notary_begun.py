"""``gwc notary`` begins a log once; another only under a name that somebody chose."""

from __future__ import annotations

import pytest

from tests.ledger.transparency.notary_logs import parsed
from tests.scripts.test_notary import issue, size, sql


@pytest.mark.parametrize("change", [
    "DELETE FROM log_head", "UPDATE log_head SET log_id = '00000000deadbeef'",
    "UPDATE log_head SET log_id = '00000000deadbeef', origin = 'gwc.local/00000000deadbeef'",
])  # fmt: skip
def test_no_other_log_is_begun_unasked(gwc, change):
    """Who can write to the database cannot have another log begun, of a name nobody chose."""
    last = issue(gwc)
    gwc("notary", "--once")
    sql(gwc, change)
    told = gwc.run("notary", "--once", "--lang", "en", status=1).stderr
    assert told.startswith("begun_twice: ")
    assert size(gwc) == last
    assert len(list((gwc.folder / "gwc.db.tlog").iterdir())) == 1


def test_another_log_is_begun_under_a_name_that_is_chosen(gwc):
    """Where a log has ended, a new name in GWC_LOG_ORIGIN begins another with the same key."""
    last = issue(gwc)
    gwc("notary", "--once")
    sql(gwc, "DELETE FROM log_head")
    gwc.env["GWC_LOG_ORIGIN"] = "log.city.example/second"
    gwc("notary", "--once")
    found = [one.read_text() for one in (gwc.folder / "gwc.db.tlog").glob("*/checkpoint")]
    assert sorted(parsed(one)[0] for one in found) == [last, last]
    assert sorted(one.startswith("log.city.example/second\n") for one in found) == [False, True]
