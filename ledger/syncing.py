"""Syncing (离线同步): what a phone recorded without signal, sent in as one parcel.

Items are independent: each is recorded or refused for itself, and what can be is saved in one
commit. A parcel may be sent again, whole or in part, in any order and from two places at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from ledger import identity
from ledger.campaigns.streets import street_signature
from ledger.campaigns.withdrawing import Withdrawing
from ledger.contributing import Contributing
from ledger.contributions.base import Times
from ledger.contributions.visit import VISIT, VisitBody
from ledger.intake import Intake, StreetIntake
from ledger.parcels import Item, Parcel, Result, Synced
from ledger.participants import Actor
from ledger.photos import Photographing


class Syncing(Withdrawing, Contributing, Photographing):
    """Taking in what was recorded without signal."""

    def sync(self, parcel: Parcel, now: datetime) -> Synced:
        """Record what can be of a parcel and say of each item what became of it."""
        with self.wallet_turns.of(parcel.actor.participant_id):
            return Intake(self, parcel, now).all()

    def nobody_home(
        self, actor: Actor, campaign_id: UUID, households: Sequence[str], submission_id: UUID,
        now: datetime, times: Times = Times(),  # noqa: B008 - it is frozen
    ) -> list[Result]:  # fmt: skip
        """Log a whole street where nobody opened: a visit for every household, in one commit.

        The same again records what was refused before and could be now; raises SubmissionConflict
        for another street under the same ``submission_id``.
        """
        street = sha256("/".join([str(campaign_id), *households]).encode()).hexdigest()
        items = [
            Item(
                kind=VISIT.kind, recorded_at=times.recorded_at, request={"street": street},
                body=VisitBody(household=one, outcome="nobody_home", campaign_id=campaign_id),
                submission_id=identity.derived("street", submission_id, one),
            )
            for one in households
        ]  # fmt: skip
        parcel = Parcel(actor, "", times.sent_at, items)
        signed = street_signature(
            self.vault, actor.participant_id, submission_id, campaign_id, households,
            times.recorded_at,
        )  # fmt: skip
        with self.wallet_turns.of(actor.participant_id):
            return StreetIntake(self, parcel, now, signed, campaign_id).street()
