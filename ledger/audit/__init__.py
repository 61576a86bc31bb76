"""Checks (审计) over the stored log: everything is recomputed, nothing is believed."""

from ledger.audit.checks import audit
from ledger.audit.findings import Finding
from ledger.audit.reading import Unreadable, rows_of
from ledger.audit.settling import Settling

__all__ = ["Finding", "Settling", "Unreadable", "audit", "rows_of"]
