"""What if: the same policy changes nothing, another one what it says."""

from __future__ import annotations

import pytest

from ledger.audit.whatif import WhatIf
from ledger.errors import InvalidPolicy
from ledger.settlement import default_policy
from tests.ledger.examples import NOW, a_report, a_walk, contribute, earn, someone, verify


def played(ledger, toml: str) -> WhatIf:
    what_if = WhatIf(toml)
    for entry in ledger.entries():
        what_if.add(entry)
    return what_if


def test_the_policy_in_force_changes_nothing(town):
    """A town with every kind of fact, replayed under its own policy, comes to the same awards."""
    same = played(town, default_policy())
    assert same.differences() == []
    assert same.totals()[0] == same.totals()[1] > 0


def test_dearer_reports_change_those_who_reported(town):
    """Twice the coins for a report, day caps kept: the difference is theirs, and the sum's."""
    before = played(town, default_policy()).totals()[1]
    citizen, dispatcher = someone(town), someone(town, "dispatcher")
    earn(town, citizen, dispatcher)
    toml = default_policy().replace("[report]", "[report] ").replace(
        "coins = 10\ntiers", "coins = 20\ntiers"
    )
    dear = played(town, toml)
    mine = [one for one in dear.differences() if one.participant_id == citizen.participant_id]
    assert [(one.awarded, one.would, one.difference) for one in mine] == [(10, 20, 10)]
    awarded, would = dear.totals()
    assert awarded == before + 10
    assert would - awarded == sum(one.difference for one in dear.differences())


def test_another_threshold_judges_the_patrols_again(town):
    """Walks that were too short are paid where 100 metres are enough, from the stored metrics."""
    walker = someone(town)
    refused = contribute(town, "patrol", walker, a_walk(450, 1500, NOW), NOW)
    assert refused.coins == 0
    toml = default_policy().replace("min_metres = 500", "min_metres = 400")
    mine = [one for one in played(town, toml).differences()
            if one.participant_id == walker.participant_id]  # fmt: skip
    assert [(one.awarded, one.would) for one in mine] == [(0, 2)]


def test_lower_caps_cut_in_the_order_of_the_log(ledger):
    """A day's cap of 12 pays the first report whole and the second in part."""
    citizen, dispatcher = someone(ledger), someone(ledger, "dispatcher")
    for number in range(2):
        verify(ledger, contribute(ledger, "report", citizen, a_report(str(number))), dispatcher)
    toml = default_policy().replace("day = 45", "day = 12")
    (one,) = played(ledger, toml).differences()
    assert (one.awarded, one.would) == (20, 12)


def test_a_wrong_file_is_refused():
    """A policy that cannot be published cannot be tried either."""
    with pytest.raises(InvalidPolicy):
        WhatIf("version = 1")
