"""Submissions (提交): what somebody sends in, and what else it raises in the same commit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec

from ledger import identity
from ledger.contributions.base import Contribution, Times
from ledger.participants import Actor
from ledger.vault import content_of


class Submission(msgspec.Struct, dict=True):
    """One contribution as sent; ``copied`` once the store found content somebody sent before."""

    contribution: Contribution
    actor: Actor
    body: Any
    request: Any
    submission_id: UUID
    times: Times = Times()
    copied: bool = False

    @property
    def cause(self) -> UUID:
        """The contribution it makes: a retry makes the same."""
        return identity.contribution_id(
            self.actor.participant_id, self.contribution.kind, self.submission_id
        )

    @property
    def contents(self) -> Iterator[bytes]:
        """What its digest may be of: its content, and as it was while it held ``sent_at``."""
        yield content_of(self.request)
        yield content_of(self.request, frozenset({"submission_id"}))

    @cached_property
    def others(self) -> tuple[Submission, ...]:
        """What else it sends in, the same whenever it is sent again."""
        raises = self.contribution.raises
        return tuple(
            Submission(
                contribution, self.actor, body, msgspec.to_builtins(body),
                identity.derived("raised", self.submission_id, number), self.times,
            )
            for number, (contribution, body) in enumerate(raises(self.body) if raises else ())
        )  # fmt: skip
