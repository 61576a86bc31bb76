"""The market again (重新核对商城): offers, accounts and gifts, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from ledger import access, identity
from ledger.audit.actors import Actors
from ledger.audit.books import Books
from ledger.audit.findings import Finding, found
from ledger.audit.spilled import SpilledSet
from ledger.days import day_of
from ledger.districts import DistrictImported, Districts
from ledger.facts import Entry
from ledger.spending.accounts import (
    Account,
    AccountChanged,
    AccountOpened,
    DonationMade,
    moved,
)
from ledger.spending.catalogue import Catalogue, OfferChanged, OfferPublished

RIGHTS = access.RIGHTS


class Market:
    """Districts, the catalogue and the accounts, as the facts so far say."""

    def __init__(self, books: Books, actors: Actors) -> None:
        self._books, self._actors = books, actors
        self._districts = Districts()
        self._lost = False
        self.catalogue = Catalogue()
        self._accounts: dict[UUID, Account] = {}
        self._gifts: SpilledSet[UUID] = SpilledSet()

    def check(self, entry: Entry) -> Iterator[Finding]:
        """What is wrong with a step here; nothing for other facts."""
        fact = entry.fact
        if isinstance(fact, DistrictImported):
            self._districts = self._districts.with_facts([fact])
        elif isinstance(fact, OfferChanged):
            yield from self._offer(entry, fact)
        elif isinstance(fact, AccountChanged):
            yield from self._account(entry, fact)
        elif isinstance(fact, DonationMade):
            yield from self._donation(entry, fact)

    def lost(self, originator: UUID | None) -> None:
        """A row could not be read: if of a district, nobody can say any more what lies where."""
        self._lost |= originator in (None, identity.DISTRICTS)

    def places(self, district: str | None) -> tuple[str, ...] | None:
        """A district and those above it; None where nobody can say any more."""
        return None if self._lost else self._districts.path(district)

    def tree(self) -> Districts | None:
        """Every district so far; None where nobody can say any more."""
        return None if self._lost else self._districts

    def keeps(self, person: UUID, account_id: UUID) -> bool:
        """Whether somebody spends from an account."""
        return self._accounts.get(account_id, Account()).kept_by(person)

    def _offer(self, entry: Entry, fact: OfferChanged) -> Iterator[Finding]:
        published = isinstance(fact, OfferPublished)
        known = fact.offer_id in self.catalogue.offers
        if entry.originator_id != identity.CATALOGUE or published == known:
            yield found("OFFER", entry.position, f"{fact.topic} {fact.offer_id}")
            return
        before = self.catalogue.offers.get(fact.offer_id)
        terms = fact.terms if isinstance(fact, OfferPublished) else before.terms if before else None
        if terms is None or (before and before.withdrawn):
            yield found("OFFER", entry.position, f"{fact.topic} {fact.offer_id}: withdrawn before")
            return
        theirs = terms.merchant_id == fact.by
        if not (theirs and self._actors.holds(entry, fact.by, frozenset({"merchant"}))):
            officers = frozenset({"reward_officer"})
            yield from self._actors.holder(entry, fact.by, officers, self.places(terms.district))
        self.catalogue = self.catalogue.with_facts([fact])

    def _account(self, entry: Entry, fact: AccountChanged) -> Iterator[Finding]:
        account = self._accounts.setdefault(entry.originator_id, Account())
        opens = isinstance(fact, AccountOpened)
        if opens != (account.opened is None):
            yield found("ACCOUNT", entry.position, fact.topic)
            return
        if opens or not account.kept_by(fact.by):
            yield from self._actors.holder(entry, fact.by, RIGHTS["accounts.open"])
        account.apply(entry)
        if not any(account.members.values()):
            yield found("ACCOUNT", entry.position, f"{fact.topic}: nobody keeps it")

    def _donation(self, entry: Entry, fact: DonationMade) -> Iterator[Finding]:
        wallet, today = self._books.wallet(fact.participant_id), day_of(entry.recorded_at)
        twice, themselves = entry.originator_id in self._gifts, fact.to == fact.participant_id
        known = fact.to in self._accounts and not twice and not themselves
        self._gifts.add(entry.originator_id)
        yield from self._actors.holder(entry, fact.participant_id, RIGHTS["donations.make"])
        if not known or not 0 < fact.coins <= wallet.available(today):
            yield found("ACCOUNT", entry.position, f"{fact.coins} coins to {fact.to}")
            return
        self._books.expect(entry, *moved(entry.originator_id, fact, wallet, today))
