"""The notary's side of the witnesses (见证人): all are asked at once, nobody is waited for.

A witness that is dead, slow or lies costs a second at most, and nothing once the others are a
quorum. One that says it cosigned a larger tree stops the notary: of a fork nobody is ever cured,
and of a witness that is wrong the trust policy is, by a person who takes it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from ledger.transparency.errors import CheckpointAhead
from ledger.transparency.merkle import Subtree
from ledger.transparency.notes import SIGNATURES_MAX, Note, Signature
from ledger.transparency.signing import verify
from ledger.transparency.tiles import TileDamaged
from ledger.transparency.trust import PolicyInvalid, Trusted, TrustPolicy
from ledger.transparency.witness_client import (
    ANSWER_SECONDS_MAX,
    DAMAGED,
    NO_ANSWER,
    WitnessClient,
)

# How long the others are still waited for once there is a quorum.
GRACE_SECONDS = 0.2

Answers = SimpleQueue[tuple["Asked", Signature | None]]


class Asked:
    """A witness with the thread that asks it."""

    def __init__(self, trusted: Trusted) -> None:
        self.client = WitnessClient(trusted)
        self._thread: Thread | None = None
        self._since = 0.0

    def busy(self) -> bool:
        """Whether it still answers an earlier request, which is ended when it took too long."""
        if self._thread is None or not self._thread.is_alive():
            return False
        if monotonic() > self._since + ANSWER_SECONDS_MAX:
            self.client.give_up()
        return True

    def ask(self, note: Note, size: int, tree: Subtree, answers: Answers) -> None:
        """In a thread of its own; what comes of it is put into ``answers``."""
        self._thread = Thread(target=self._run, args=(note, size, tree, answers), daemon=True)
        self._since = monotonic()
        self._thread.start()

    def close(self) -> None:
        """End what is still being asked, and let go of the connection."""
        self.client.give_up()
        if self._thread is not None:
            self._thread.join(ANSWER_SECONDS_MAX)
        self.client.close()

    def _run(self, note: Note, size: int, tree: Subtree, answers: Answers) -> None:
        answers.put((self, self.client.cosignature(note, size, tree)))


class PolicyCosigners:
    """The witnesses of a trust policy that have an address; the ``Cosigners`` of a notary.

    Raises PolicyInvalid if an address is none, or those with one can never be a quorum.
    """

    def __init__(self, policy: TrustPolicy) -> None:
        self._policy = policy
        try:
            self._all = [Asked(one) for one in policy.witnesses.values() if one.url]
        except ValueError as error:
            raise PolicyInvalid(str(error)) from None
        if len(self._all) >= SIGNATURES_MAX:  # Beside theirs stands the log's own.
            raise PolicyInvalid(f"more than {SIGNATURES_MAX - 1} witnesses have an address")
        if not self._reached(self._all):
            raise PolicyInvalid("the witnesses that have an address can never be a quorum")
        self._cosigned: set[Asked] = set()

    def collect(self, note: Note, size: int, tree: Subtree) -> Sequence[Signature]:
        """Their cosignatures; raises CheckpointAhead if one cosigned a larger tree of this log.

        That stands until the witness itself says otherwise, or is taken out of the policy.
        Raises TileDamaged if a tile was missing for a proof.
        """
        answers: Answers = SimpleQueue()
        asked = self._free()
        for one in asked:
            one.ask(note, size, tree, answers)
        found = self._gathered(len(asked), answers)
        self._cosigned = set(found)
        if any(one.client.problem == DAMAGED for one in asked):
            raise TileDamaged("no proof for the witnesses")
        for one in self._all:
            told = one.client.size
            if told is not None and told > size:
                raise CheckpointAhead(who=one.client.name, size=told, head=size)
        return list(found.values())

    def enough(self, note: Note) -> bool:
        """Whether auditors who have the policy believe the note."""
        return not any(self._policy.problems(note, verify))

    def missing(self) -> str:
        """Who did not cosign the last time, and why: a status, or a code of the client."""
        return ", ".join(
            f"{one.client.name}: {one.client.problem or NO_ANSWER}"
            for one in self._all
            if one not in self._cosigned
        )

    def close(self) -> None:
        """Let go of every connection."""
        for one in self._all:
            one.close()

    def _free(self) -> list[Asked]:
        """Whom to ask: those that rest after failing only if they are needed."""
        free = [one for one in self._all if not one.busy()]
        awake = [one for one in free if monotonic() >= one.client.rests_until]
        return awake if self._reached(awake) else free

    def _gathered(self, count: int, answers: Answers) -> dict[Asked, Signature]:
        """What comes in time: a second, or a little after there is a quorum."""
        found: dict[Asked, Signature] = {}
        deadline = monotonic() + ANSWER_SECONDS_MAX
        for _ in range(count):
            try:
                one, signature = answers.get(timeout=max(deadline - monotonic(), 0))
            except Empty:
                break
            if signature is not None:
                found[one] = signature
            if self._reached(found):
                deadline = min(deadline, monotonic() + GRACE_SECONDS)
        for one in self._all:
            one.busy()
        return found

    def _reached(self, witnesses: Iterable[Asked]) -> bool:
        return self._policy.reached(one.client.trusted.name for one in witnesses)
