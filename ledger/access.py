"""Who may do what (权限): the one place that decides, and it denies by default.

A right is a word; the table names the roles that have it. Object access is a question of whose it
is and where: somebody else's object is treated as not there at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ledger.participants import CONTRIBUTORS, ROLES, Actor

EVERYBODY = frozenset(ROLES) - {"open311"}

RIGHTS: dict[str, frozenset[str]] = {
    "me.read": EVERYBODY,
    "me.consent": EVERYBODY,
    "participants.register": frozenset({"registrar", "admin"}),
    "roles.manage": frozenset({"admin"}),
    "reaches.read": EVERYBODY,
    "policy.read": EVERYBODY,
    "wallet.read": EVERYBODY,
    "boards.read": EVERYBODY,
    "contributions.read": EVERYBODY,
    "photos.send": CONTRIBUTORS,
    "history.read": frozenset({"auditor"}),
    "receipts.read": EVERYBODY,
    "catalogue.read": EVERYBODY,
    "catalogue.manage": frozenset({"merchant", "reward_officer"}),
    "redemptions.ask": CONTRIBUTORS,
    "redemptions.read": EVERYBODY,
    "redemptions.decide": frozenset({"approver", "reward_officer"}),
    "redemptions.collect": frozenset({"merchant", "reward_officer"}),
    "donations.make": CONTRIBUTORS,
    "accounts.read": EVERYBODY,
    "accounts.open": frozenset({"reward_officer", "registrar", "admin"}),
    "accounts.keep": EVERYBODY,
    "reversals.propose": frozenset({"reward_officer"}),
    "reversals.decide": frozenset({"approver"}),
    "reversals.see": EVERYBODY,
    "reversals.read": frozenset({"reward_officer", "approver", "auditor"}),
    "campaigns.manage": frozenset({"dispatcher", "reward_officer", "admin"}),
    "campaigns.show": frozenset({"dispatcher", "reward_officer", "admin", "grid_worker"}),
    "campaigns.read": EVERYBODY,
    "coverage.read": frozenset(
        {"grid_worker", "dispatcher", "reward_officer", "approver", "auditor", "admin"}
    ),
    "coverage.workers": frozenset({"dispatcher", "reward_officer", "auditor", "admin"}),
    "survey.read": frozenset({"dispatcher", "reward_officer", "auditor", "admin"}),
    "visits.edit": frozenset({"grid_worker", "dispatcher"}),
    "visits.log": frozenset({"grid_worker"}),
    "sync.send": CONTRIBUTORS | {"dispatcher"},
    "trails.manage": frozenset({"dispatcher", "reward_officer", "admin"}),
    "trails.read": EVERYBODY,
    "budgets.set": frozenset({"reward_officer"}),
    "budgets.read": frozenset({"reward_officer", "approver", "auditor", "admin"}),
    "books.read": frozenset({"auditor", "reward_officer", "approver"}),
    "me.erase": EVERYBODY,
    "erasures.ask": frozenset({"registrar", "admin"}),
    "erasures.decide": frozenset({"approver", "admin"}),
    "erasures.read": frozenset({"registrar", "approver", "auditor", "admin"}),
    "erasures.see": EVERYBODY,
    "holds.manage": frozenset({"approver", "admin"}),
}


# Offices that check one another are given by an administrator alone, never by a registrar.
OFFICES = frozenset(
    {"admin", "registrar", "auditor", "approver", "reward_officer", "dispatcher", "handler"}
) | {"open311"}


def allowed(actor: Actor, right: str) -> bool:
    """Whether the actor's role has a right; an unknown right nobody has."""
    return actor.role in RIGHTS.get(right, frozenset())


def may_register(actor: Actor, role: str, districts: Sequence[str]) -> bool:
    """Whether the actor may register somebody in this role at a place, given by its path."""
    right = "roles.manage" if role in OFFICES else "participants.register"
    return allowed(actor, right) and within(actor, districts)


def owns_or_audits(actor: Actor, owner: UUID) -> bool:
    """Balances and statements are for their owner and for auditors."""
    return actor.participant_id == owner or actor.role == "auditor"


def within(actor: Actor, districts: Sequence[str]) -> bool:
    """Whether a place lies in the actor's district; a place without district is the city's."""
    return actor.district is None or actor.district in districts


def reviews(actor: Actor, reviewers: frozenset[str], districts: Sequence[str]) -> bool:
    """Whether the actor may review what was contributed at a place."""
    return actor.role in reviewers and within(actor, districts)


def sees_photos(
    actor: Actor, people: Sequence[UUID], reviewers: frozenset[str], districts: Sequence[str]
) -> bool:
    """Whoever took part and may review it; auditors check that photos are what was committed to."""
    return actor.participant_id in people or reviews(actor, reviewers, districts)
