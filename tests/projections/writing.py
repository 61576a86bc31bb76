"""Writing random facts: the people, the clock, the wallets, and commits of a few facts."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from ledger.application import Ledger
from ledger.days import day_of
from ledger.facts import Entry, Fact
from ledger.identity import wallet_id
from ledger.log import Append
from ledger.wallet import Wallet

NOW = datetime(2026, 3, 30, 4, 0, tzinfo=UTC)
PATHS = ((), ("g1", "t1", "c1"), ("g2", "t1", "c1"), ("t2", "c1"))

Facts = list[tuple[UUID, Fact]]


class Writing:
    """A ledger to write into, who is there, what their wallets hold, and what was written."""

    def __init__(self, ledger: Ledger, seed: int, people: int) -> None:
        self.ledger = ledger
        self.random = random.Random(seed)
        self.now = NOW
        self.entries: list[Entry] = []
        self.versions: dict[UUID, int] = defaultdict(int)
        self.people = [self.id() for _ in range(people)]
        self.teams = [self.id() for _ in range(2)]
        self.wallets = {who: Wallet() for who in self.everybody}
        self._owners = {wallet_id(who): who for who in self.everybody}

    @property
    def everybody(self) -> list[UUID]:
        """People, and the teams that have a wallet too."""
        return [*self.people, *self.teams]

    @property
    def today(self) -> date:
        return day_of(self.now)

    def id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def signed(self) -> dict:
        """Who did it, and the command that it was."""
        return {"by": self.id(), "command_id": self.id(), "body_digest": ""}

    def append(self, facts: Facts) -> list[Entry]:
        """Write one commit; a minute goes by."""
        writes = []
        for originator, fact in facts:
            writes.append(Append(originator, self.versions[originator], [fact]))
            self.versions[originator] += 1
        entries = self.ledger.append(writes, self.now)
        self.now += timedelta(minutes=1)
        for entry in entries:
            if owner := self._owners.get(entry.originator_id):
                self.wallets[owner].apply(entry)
        self.entries += entries
        return entries

    def pass_time(self) -> None:
        """Until later that day, or one of the next days, so that coins and holds run out."""
        self.now += timedelta(hours=self.random.choice((2, 7, 24, 40)))
