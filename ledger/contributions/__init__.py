"""The ways to take part. A new one is a file here and a line in CONTRIBUTIONS."""

from ledger.contributions.base import Contribution
from ledger.contributions.check_in import CHECK_IN
from ledger.contributions.patrol import PATROL
from ledger.contributions.report import REPORT
from ledger.contributions.visit import VISIT

CONTRIBUTIONS: tuple[Contribution, ...] = (
    PATROL,
    REPORT,
    VISIT,
    CHECK_IN,
)

BY_KIND = {one.kind: one for one in CONTRIBUTIONS}
