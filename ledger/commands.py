"""Commands (指令): who gave one, under which number, and whether it was given before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from ledger import identity
from ledger.errors import LedgerError, SubmissionConflict
from ledger.facts import Fact
from ledger.store.rows import Quota, VaultRow

if TYPE_CHECKING:
    from ledger.batch import Refusal
    from ledger.vault import Vault


class TooLarge(LedgerError):
    code = "entry_too_large"
    zh = "内容过长，无法记入账本；请缩短后重试。"
    en = "The content is too long for an entry of the log; shorten it and try again."


class Signed(Fact, frozen=True):
    """Base of facts that are a command of somebody's: by whom, and the command that it was."""

    by: UUID
    command_id: UUID
    body_digest: str


class Signature(msgspec.Struct, frozen=True):
    """What a command is known by: the same again gets its first answer, another body a conflict."""

    by: UUID
    command_id: UUID
    body_digest: str

    @property
    def fields(self) -> dict[str, Any]:
        """As the fields of a Signed fact."""
        return msgspec.structs.asdict(self)

    def earlier(self, commands: Mapping[UUID, tuple[str, int]]) -> int | None:
        """Where the command stands that was given before, None for a new one.

        ``commands`` are (digest of the body, place) by command; raises SubmissionConflict.
        """
        known = commands.get(self.command_id)
        if known is None:
            return None
        if known[0] != self.body_digest:
            raise SubmissionConflict
        return known[1]


class Decision(msgspec.Struct, frozen=True):
    """What a command decided: its facts, the rows they seal, what it claims and stands on.

    ``refusals`` say by quota what is said where it has no room.
    """

    facts: Sequence[Fact]
    rows: Sequence[VaultRow] = ()
    quotas: Sequence[Quota] = ()
    unchanged: Mapping[UUID, int] = {}
    refusals: Mapping[str, Refusal] = {}


def signature(
    vault: Vault, by: UUID, action: str, submission_id: UUID, request: Mapping[str, Any]
) -> Signature:
    """The signature of a command; ``action`` names what is done, and to what."""
    from ledger.vault import content_of  # Facts are read where there is no cipher, too.

    command_id = identity.command_id(by, action, submission_id)
    return Signature(by, command_id, vault.fingerprint(by, content_of(request)))
