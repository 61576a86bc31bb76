"""What we show: views folded from the log. All of it can be deleted and is then built again."""

from __future__ import annotations

from projections.balances import BALANCES
from projections.campaigns import CAMPAIGNS
from projections.contributions import CONTRIBUTIONS
from projections.coverage import COVERAGE
from projections.leaderboard import LEADERBOARD
from projections.redemptions import REDEMPTIONS
from projections.reversals import REVERSALS
from projections.statement import STATEMENT
from projections.trial_balance import TRIAL_BALANCE
from projections.view import View

VIEWS: tuple[View, ...] = (
    BALANCES,
    STATEMENT,
    LEADERBOARD,
    CONTRIBUTIONS,
    CAMPAIGNS,
    COVERAGE,
    REDEMPTIONS,
    REVERSALS,
    TRIAL_BALANCE,
)

BY_NAME = {view.name: view for view in VIEWS}
