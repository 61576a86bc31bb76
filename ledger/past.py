"""The past (历史时点): wallets and balances as they were, asked of the history itself.

The only questions of the API that fold the log: an answer about the past must not depend on a view
that knows the present alone. One wallet is one indexed read; all balances are kept folded, so that
a later moment costs only what came in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from threading import Lock
from uuid import UUID

import msgspec

from ledger import identity
from ledger.balances import MONEY, Balances
from ledger.days import day_of
from ledger.errors import AfterHistory, BeforeHistory
from ledger.explain import Explanation, explain
from ledger.facts import Entry
from ledger.log import Log


class Moment(msgspec.Struct, frozen=True):
    """How far the log had come, and the day by which coins are good or expired."""

    position: int
    today: date


class Past(Log):
    """Questions about any moment of the history."""

    def __init__(self, env: Mapping[str, str], vault_key: bytes) -> None:
        super().__init__(env, vault_key)
        self._folded: tuple[int, Balances] = (0, Balances())
        self._folding = Lock()

    def moment(self, as_of: datetime | None, at_position: int | None, now: datetime) -> Moment:
        """The moment that is meant; now where neither is given.

        ``as_of`` may lie in the future: coins that will have expired by then do not count. Raises
        BeforeHistory for a moment before the first entry, AfterHistory behind the last one.
        """
        head, day = self.head(), day_of(as_of or now)
        position = head
        if at_position is not None:
            position = at_position
        elif as_of is not None:
            position = self._position_at(as_of, head)
        if position > head:
            raise AfterHistory(head=head)
        if position < 1:
            raise BeforeHistory(first=self._recorded_at(1).isoformat() if head else "-")
        if at_position is not None:
            day = day_of(self._recorded_at(at_position))
        return Moment(position, day)

    def wallet_as_of(self, participant: UUID, moment: Moment) -> Explanation:
        """A wallet as it stood, every coin explained."""
        entries: list[Entry] = []
        for entry in self.events.get(identity.wallet_id(participant)):
            if entry.position > moment.position:  # type: ignore[attr-defined]
                break
            entries.append(entry)  # type: ignore[arg-type]
        return explain(participant, entries, moment.today, moment.position)

    def balances_as_of(self, moment: Moment) -> list[tuple[str, int, int]]:
        """(participant, available, held) of everybody who had a money fact, by participant."""
        if moment.position < self._folded[0]:  # Folded anew, and nobody else waits for it.
            return self._on(Balances(), 0, moment.position).of(moment.today)
        with self._folding:
            return self._balances(moment.position).of(moment.today)

    def coins_by_expiry(self) -> list[tuple[str, dict[str, int]]]:
        """What everybody has now by its last good day (ISO text), by participant."""
        with self._folding:
            coins = self._balances(self.head()).coins
            return [(person, dict(coins[person])) for person in sorted(coins)]

    def _balances(self, position: int) -> Balances:
        """All balances up to a position, folded on from where the last question left them."""
        after, balances = self._folded
        if after > position:
            return self._on(Balances(), 0, position)
        self._folded = (0, Balances())  # Half folded it must not be found again.
        self._folded = (position, self._on(balances, after, position))
        return balances

    def _on(self, balances: Balances, after: int, position: int) -> Balances:
        for row in self.rows_through(position, after, MONEY):
            balances.add(row.topic, row.state)
        return balances

    def _recorded_at(self, position: int) -> datetime:
        return self.entry(self.rows(position - 1, 1)[0]).recorded_at

    def _position_at(self, as_of: datetime, head: int) -> int:
        """How far the log had come at a time: up to an entry of then with a later one behind it.

        By halving, for entries are recorded in order of time but for the clocks of several hosts.
        """
        low, high = 0, head
        while low < high:
            middle = (low + high + 1) // 2
            if self._recorded_at(middle) <= as_of:
                low = middle
            else:
                high = middle - 1
        return low
