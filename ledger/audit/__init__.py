"""Checks (审计) over the stored log: everything is recomputed, nothing is believed."""

from ledger.audit.checks import audit
from ledger.audit.disclosures import Disclosures
from ledger.audit.early import Early
from ledger.audit.fences import Fences
from ledger.audit.findings import Finding, Unreadable
from ledger.audit.orphans import Orphans
from ledger.audit.quotas import Quotas
from ledger.audit.reading import rows_of, snapshots_of
from ledger.audit.settling import Settling
from ledger.audit.snapshots import Snapshots

__all__ = [
    "Disclosures", "Early", "Fences", "Finding", "Orphans", "Quotas", "Settling", "Snapshots",
    "Unreadable", "audit", "rows_of", "snapshots_of",
]  # fmt: skip
