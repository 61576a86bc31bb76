"""Ids derived from what they stand for, so that the store's unique key is the lock.

A retry lands on the same originator; two different things never do.
"""

from __future__ import annotations

from uuid import UUID, uuid5

NAMESPACE = UUID("6a1f4b52-7a52-5c0e-9d0b-6c7a3f9e2d10")

POLICIES = uuid5(NAMESPACE, "policies")
RIVERS = uuid5(NAMESPACE, "rivers")
DISTRICTS = uuid5(NAMESPACE, "districts")
CATALOGUE = uuid5(NAMESPACE, "catalogue")
TRAILS = uuid5(NAMESPACE, "trails")


def derived(kind: str, *parts: object) -> UUID:
    """The id of a kind of thing that these parts name and nothing else does."""
    return uuid5(NAMESPACE, "/".join((kind, *map(str, parts))))


def participant_id(registrar: UUID | None, submission_id: UUID) -> UUID:
    return uuid5(NAMESPACE, f"participant/{registrar}/{submission_id}")


def contribution_id(participant: UUID, kind: str, submission_id: UUID) -> UUID:
    return uuid5(NAMESPACE, f"contribution/{participant}/{kind}/{submission_id}")


def command_id(actor: UUID, action: str, submission_id: UUID) -> UUID:
    return uuid5(NAMESPACE, f"command/{actor}/{action}/{submission_id}")


def wallet_id(participant: UUID) -> UUID:
    return uuid5(NAMESPACE, f"wallet/{participant}")


def token_id(token_sha256: str) -> UUID:
    return uuid5(NAMESPACE, f"token/{token_sha256}")


def offer_id(actor: UUID, submission_id: UUID) -> UUID:
    return uuid5(NAMESPACE, f"offer/{actor}/{submission_id}")


def redemption_id(actor: UUID, submission_id: UUID) -> UUID:
    return uuid5(NAMESPACE, f"redemption/{actor}/{submission_id}")


def voucher_id(voucher_sha256: str) -> UUID:
    return uuid5(NAMESPACE, f"voucher/{voucher_sha256}")


def account_id(actor: UUID, submission_id: UUID) -> UUID:
    return uuid5(NAMESPACE, f"account/{actor}/{submission_id}")


def donation_id(giver: UUID, submission_id: UUID) -> UUID:
    return uuid5(NAMESPACE, f"donation/{giver}/{submission_id}")


def reversal_id(actor: UUID, submission_id: UUID) -> UUID:
    return uuid5(NAMESPACE, f"reversal/{actor}/{submission_id}")
