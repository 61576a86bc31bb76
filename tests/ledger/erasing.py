"""Erasures of every kind, for the example of the audit: asked, refused, held, limited, done."""

from __future__ import annotations

from uuid import UUID, uuid4

from ledger.application import Ledger
from ledger.participants import Actor
from tests.ledger.examples import NOW, a_report, contribute, someone

PERSONAL = {"name": "王小明", "phone": "13800001234", "alias": "青鱼"}


def registered(ledger: Ledger, role: str = "citizen") -> Actor:
    """Somebody whose name, phone and alias are in the vault, with a report of theirs."""
    found = ledger.register(
        someone(ledger, "admin"), uuid4(), role, NOW, request=PERSONAL, personal=PERSONAL,
        consents=("board",),
    )  # fmt: skip
    actor = ledger.authenticate(found.token)
    assert actor is not None
    if role == "citizen":
        contribute(ledger, "report", actor, a_report(str(found.participant_id)))
    return actor


def erase(ledger: Ledger, subject: UUID) -> None:
    """As ``gwc erase`` does."""
    ledger.ask_erasure(None, subject, "consent_withdrawn", NOW)
    ledger.run_erasure(subject, NOW)


def erase_in_every_way(ledger: Ledger) -> None:
    """One citizen at once, a dispatcher by two people, one refused, one with a hold in the way."""
    approver, registrar = someone(ledger, "approver"), someone(ledger, "registrar")
    erase(ledger, registered(ledger).participant_id)
    office = registered(ledger, "dispatcher").participant_id
    asked = ledger.ask_erasure(registrar, office, "purpose_over", NOW)
    ledger.refuse_erasure(approver, asked.id, {}, None, NOW)
    ledger.ask_erasure(registrar, office, "purpose_over", NOW)
    ledger.approve_erasure(approver, asked.id, {}, None, NOW)
    ledger.run_erasure(office, NOW)
    held = registered(ledger).participant_id
    hold = ledger.place_hold(approver, held, "investigation", ("name", "text"), NOW)
    erase(ledger, held)
    assert ledger.erasure(held).step == "limited"
    assert hold.hold_id is not None
    ledger.lift_hold(someone(ledger, "admin"), hold.hold_id, NOW)
    ledger.run_erasure(held, NOW)
    assert ledger.erasure(held).step == "completed"
    waits = registered(ledger).participant_id
    ledger.place_hold(approver, waits, "audit", (), NOW)
    erase(ledger, waits)
    assert ledger.erasure(waits).state == "held"
