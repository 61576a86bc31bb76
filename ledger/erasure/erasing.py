"""Erasing (删除): the saga, each step of which can be killed, repeated and resumed.

Fenced → tokens, roles and consents ended → key and rows destroyed → bytes scrubbed → checked →
completed. The fence is the point of no return, and committed together with its fact.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from eventsourcing.persistence import OperationalError

from ledger import identity
from ledger.erasure.asking import ErasureReceipt, erasure_told
from ledger.erasure.erasures import (
    DUE,
    Erasure,
    ErasureCompleted,
    ErasureFenced,
    ErasureLimited,
    erasure_id,
)
from ledger.erasure.holding import Holding
from ledger.facts import Fact
from ledger.log import Append
from ledger.participants import (
    ConsentWithdrawn,
    RoleRevoked,
    TokenIssued,
    TokenRevoked,
    TokenState,
)
from ledger.searching import Wanted, search
from ledger.store.fences import Place, plain
from ledger.store.rows import Fence

VISITS_MAX = 1_000
"""That many ids fit into one fact, and one fence; a household has tens of visits."""
ROWS_AT_ONCE = 500
PAUSE_SECONDS = 0.005

Told = Callable[[str], None]


class Erasing(Holding):
    """Doing what was asked for, once nothing is in the way."""

    def run_erasure(
        self, subject: UUID, now: datetime, told: Told = lambda _: None
    ) -> ErasureReceipt:
        """Take every step that is due and say how the erasure stands; ``told`` hears of each.

        Nothing happens while a second person or a hold is waited for, nor after it is completed.
        """
        while (found := self.attempt(lambda: self._fence(subject, now))) == "fenced":
            told(found)
        state = self.erasure(subject)
        if found == "held":
            return msgspec.structs.replace(erasure_told(subject, state), state=found)
        if state.step == "fenced":
            self._end_access(subject, now)
            told("access_ended")
            fences = fences_of(state)
            self._destroy(fences)
            told("destroyed")
            self.store.scrub()
            told("scrubbed")
            self._check_gone(fences)
            told("checked")
            state = self.attempt(lambda: self._finish(subject, now))
            told(state.step)
        return erasure_told(subject, state)

    def resume_erasures(self, now: datetime) -> Iterator[ErasureReceipt]:
        """Go on with every erasure that has something to do."""
        for subject in self.erasures_due():
            yield self.run_erasure(subject, now)

    def erasures_due(self) -> list[UUID]:
        """Whoever's erasure has something to do."""
        return [subject for subject, state in self.erasures().items() if state.due]

    def forget_again(self, beyond: Iterable[tuple[int, ErasureFenced]] = ()) -> list[UUID]:
        """Before anything is served: destroy again what a restored table brought back; of whom.

        ``beyond`` are fences of the published log that this one does not hold, since it was
        restored from before them: they are set here as well.
        """
        states = self.erasures()
        for position, fact in beyond:
            states.setdefault(fact.subject, Erasure()).fences.append((position, fact))
        fences: dict[UUID, dict[int, Fence]] = {}
        for one in self.store.select_fences():
            fences.setdefault(one.subject, {})[one.position] = one
        for subject, state in states.items():
            known = fences.setdefault(subject, {})
            missing = [one for one in fences_of(state) if one.position not in known]
            self.store.keep_fences(missing)
            known.update((one.position, one) for one in missing)
        unfinished = {subject for subject, state in states.items() if state.step == "fenced"}
        again = [
            subject for subject in self.store.select_brought_back()
            # Behind a fence that was set just now, whoever set it destroys.
            if subject not in unfinished and (behind := list(fences.get(subject, {}).values()))
            and self._destroy(behind)
        ]  # fmt: skip
        if again:
            self.store.scrub()
        return again

    def _fence(self, subject: UUID, now: datetime) -> Literal["fenced", "held", ""]:
        """Set the fence, or another for visits that came before it unseen; empty where all is set.

        Held is what goes with a household while somebody's hold is on it.
        """
        state = self.erasure(subject)
        visits, searched = self._unnamed(state)
        if not state.may_name(visits):
            return ""
        others = self._erasures_of_owners(visits)
        if any(one.holds for one in others.values()):
            return "held"
        # With a key nobody else can make one meanwhile, so its print is that of what is destroyed.
        self.vault.make_keys([subject])
        wrapped = self.store.select_stored_key(subject)
        prints = self.vault.prints(subject, wrapped) if wrapped else ()
        fact = ErasureFenced(
            subject=subject, prints=prints, kept=state.kept, visits=visits, searched=searched
        )
        fence = Fence(subject, prints, fact.kept, fact.visits)
        unchanged = {erasure_id(owner): one.version for owner, one in others.items()}
        self.append(
            [Append(erasure_id(subject), state.version, [fact])], now, fence=fence,
            unchanged=unchanged,
        )  # fmt: skip
        return "fenced"

    def _erasures_of_owners(self, visits: Iterable[UUID]) -> dict[UUID, Erasure]:
        """Erasures and holds of those under whose keys something of these visits is."""
        owners = {row.subject for one in visits for row in self.store.select_vault(one)}
        return {owner: self.erasure(owner) for owner in owners}

    def _unnamed(self, state: Erasure) -> tuple[tuple[UUID, ...], int]:
        """The visits the next fence is to name, and how far the log is searched for them then.

        The first fence names all there are, those of earlier erasures again. A visit that was
        recorded while it was being set is looked for once it stands: no more of those can come.
        """
        asked, stands = state.requested, state.step == "fenced"
        first = state.may_fence and state.step in DUE
        if asked is None or asked.household is None or not (first or stands):
            return (), 0
        through = state.began - 1 if stands else self.head()
        found = [
            (visit, state.searched) for visit, position in state.visits.items()
            if not stands or position < state.began
        ]  # fmt: skip
        found += self.visits_to(asked.household, state.searched, through)
        part = dict(found[:VISITS_MAX])
        return tuple(part), through if len(found) <= VISITS_MAX else found[VISITS_MAX - 1][1]

    def _end_access(self, subject: UUID, now: datetime) -> None:
        """End every token, role and consent of a participant, all in one commit."""

        def command() -> None:
            person = self.participant(subject)
            ended: list[Fact] = [
                *(ConsentWithdrawn(participant_id=subject, consent=one)
                  for one in sorted(person.consents)),
                *(RoleRevoked(role=one, reason="erased") for one in sorted(person.roles)),
            ]  # fmt: skip
            writes = [Append(subject, person.version, ended)] if ended else []
            writes += [
                Append(token, state.version, [TokenRevoked()])
                for token, state in self._tokens_of(subject) if not state.revoked
            ]  # fmt: skip
            if writes:
                self.append(writes, now, unchanged={} if ended else {subject: person.version})
                self._known.look_again()

        self.attempt(command)

    def _tokens_of(self, person: UUID) -> Iterator[tuple[UUID, TokenState]]:
        """Every token somebody was ever given."""
        wanted = Wanted((TokenIssued.topic,), participant=person)
        for row in (row for found in search(self, wanted, 0) for row in found.rows):
            fact = self.entry(row).fact
            if isinstance(fact, TokenIssued) and fact.participant_id == person:
                token = identity.token_id(fact.token_sha256)
                yield token, self.fold(token, TokenState())

    def _destroy(self, fences: Sequence[Fence]) -> bool:
        """Destroy what goes behind the fences of a subject; whether there was anything."""
        fence, places = latest_of(fences), places_behind(self.store, fences)
        wrapped = spent = self.store.select_stored_key(fence.subject)
        if wrapped and not fence.kept:  # First, for without it no row opens.
            self.store.destroy(fence, (), wrapped)
        # In parts, for nobody writes meanwhile: a key of another system may have sent 100,000.
        for start in range(0, len(places), ROWS_AT_ONCE):
            self.store.destroy(fence, places[start : start + ROWS_AT_ONCE], None)
            time.sleep(PAUSE_SECONDS)  # For whoever waits for the connection that writes.
        if wrapped and fence.kept:
            spent = self._exchange_key(fence, wrapped)
        return bool(places or spent)

    def _exchange_key(self, fence: Fence, wrapped: bytes) -> bool:
        """What is kept must not open with a key that an old copy may still have; whether it did."""
        spent = set(fence.prints) & set(self.vault.prints(fence.subject, wrapped))
        if spent:
            rows = self.store.select_of_subject(fence.subject)
            kept = [row for row in rows if plain(row.field) in fence.kept]
            new, resealed = self.vault.under_new_key(fence.subject, wrapped, kept)
            self.store.reseal(fence, wrapped, new, resealed)
        return bool(spent)

    def _check_gone(self, fences: Sequence[Fence]) -> None:
        """The store itself must say that nothing is left; raises OperationalError."""
        fence = latest_of(fences)
        wrapped = self.store.select_stored_key(fence.subject)
        left = wrapped and (
            not fence.kept or set(fence.prints) & set(self.vault.prints(fence.subject, wrapped))
        )
        if left or places_behind(self.store, fences) or self.store.select_key(fence.subject):
            raise OperationalError("something of an erased subject is still there; run it again")

    def _finish(self, subject: UUID, now: datetime) -> Erasure:
        state = self.erasure(subject)
        if state.step == "fenced":
            kept = state.fences[-1][1].kept
            keys, rows, photos = self.store.select_destroyed(subject)
            fact: Fact = ErasureLimited(subject=subject, fields=kept)
            if not kept:
                fact = ErasureCompleted(
                    subject=subject, keys=keys, rows=rows, photos=photos,
                    tokens=sum(1 for _ in self._tokens_of(subject)),
                )  # fmt: skip
            self.append([Append(erasure_id(subject), state.version, [fact])], now)
        return self.erasure(subject)


def fences_of(state: Erasure) -> list[Fence]:
    """Every fence the facts of an erasure set."""
    return [
        Fence(fact.subject, fact.prints, fact.kept, fact.visits, position)
        for position, fact in state.fences
    ]


def latest_of(fences: Iterable[Fence]) -> Fence:
    """The latest fence of one subject, with the key material of all of them."""
    in_order = sorted(fences, key=lambda one: one.position)
    prints = tuple(dict.fromkeys(each for one in in_order for each in one.prints))
    return msgspec.structs.replace(in_order[-1], prints=prints)


def places_behind(store: Any, fences: Sequence[Fence]) -> list[Place]:
    """Where rows are that go behind the fences of one subject: of visits, by the last naming it."""
    kept, found = latest_of(fences).kept, set[Place]()
    for one in fences:
        found.update(store.select_places(msgspec.structs.replace(one, kept=kept)))
    return sorted(found)
