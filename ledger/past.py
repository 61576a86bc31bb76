"""The past (历史时点): wallets and balances as they were, asked of the history itself.

Two times are told apart. What was known at a position (or a time) is what the facts up to there
say. What was effective on a day is what counts on it by all that is known, whenever that was
recorded: see ``effect.py``. Both together tell what was known at a position of an earlier day.

The only questions of the API that fold the log: an answer about the past must not depend on a view
that knows the present alone. One wallet is one indexed read; all balances are kept folded, so that
a later moment costs only what came in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from threading import Lock
from typing import cast
from uuid import UUID

import msgspec

from ledger import identity
from ledger.balances import MONEY, Balances
from ledger.days import SHANGHAI, day_of, from_microseconds, microseconds
from ledger.effect import effective
from ledger.errors import AfterHistory, BeforeHistory
from ledger.explain import Explanation, explain
from ledger.facts import Entry, Fact, encode
from ledger.log import Log


class Moment(msgspec.Struct, frozen=True):
    """How far the log had come, and the day by which coins are good or expired.

    Where it is ``effective``, facts count by the day they take effect, and later ones do not.
    """

    position: int
    today: date
    effective: bool = False


class Past(Log):
    """Questions about any moment of the history."""

    def __init__(self, env: Mapping[str, str], vault_key: bytes) -> None:
        super().__init__(env, vault_key)
        self._folded: tuple[int, Balances] = (0, Balances())
        self._folding = Lock()

    def moment(
        self, as_of: datetime | None, at_position: int | None, now: datetime,
        effective_on: date | None = None,
    ) -> Moment:  # fmt: skip
        """The moment that is meant; now where neither is given.

        ``as_of`` may lie in the future: coins that will have expired by then do not count. With
        ``effective_on``, how things stood on that day as known at the moment. Raises BeforeHistory
        for a moment or day before the first entry, AfterHistory for a position behind the last
        one and for a day that is still to come.
        """
        head, day = self.head(), effective_on or day_of(as_of or now)
        position = self._position(as_of, at_position, head)
        if position > head or (effective_on and effective_on > day_of(now)):
            raise AfterHistory(head=head)
        if position < 1 or (effective_on and not self._begun(effective_on, head)):
            raise BeforeHistory(first=self._recorded_at(1).isoformat() if head else "-")
        if at_position is not None and effective_on is None:
            day = day_of(self._recorded_at(position))
        return Moment(position, day, effective=effective_on is not None)

    def position_at(self, moment: int, head: int) -> int:
        """How far the log had come at a time (microseconds since 1970 UTC): up to an entry of
        then with a later one behind it; 0 before the first.

        By halving, for entries are recorded in order of time but for the clocks of several hosts.
        """
        low, high = 0, head
        while low < high:
            middle = (low + high + 1) // 2
            if self.rows(middle - 1, 1)[0].recorded_at <= moment:
                low = middle
            else:
                high = middle - 1
        return low

    def wallet_as_of(self, participant: UUID, moment: Moment) -> Explanation:
        """A wallet as it stood, every coin explained."""
        entries: list[Entry] = []
        for found in self.events.get(identity.wallet_id(participant)):
            entry = cast(Entry, found)
            if entry.position > moment.position:
                break
            if (fact := _counts(entry, moment)) is not None:
                entries.append(msgspec.structs.replace(entry, fact=fact))
        return explain(participant, entries, moment.today, moment.position)

    def balances_as_of(self, moment: Moment) -> list[tuple[str, int, int]]:
        """(participant, available, held) of everybody who had a money fact, by participant."""
        if moment.effective:
            return self._effective(moment).of(moment.today)
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

    def _effective(self, moment: Moment) -> Balances:
        balances = Balances()
        for row in self.rows_through(moment.position, 0, MONEY):
            entry = self.entry(row)
            fact = _counts(entry, moment)
            if fact is not None:
                balances.add(row.topic, row.state if fact is entry.fact else encode(fact))
        return balances

    def _begun(self, day: date, head: int) -> bool:
        """Whether anything had been recorded by the end of a day."""
        end = datetime.combine(day, time.max, SHANGHAI)
        return self.position_at(microseconds(end), head) > 0

    def _position(self, as_of: datetime | None, at_position: int | None, head: int) -> int:
        if at_position is not None:
            return at_position
        return head if as_of is None else self.position_at(microseconds(as_of), head)

    def _recorded_at(self, position: int) -> datetime:
        return from_microseconds(self.rows(position - 1, 1)[0].recorded_at)


def _counts(entry: Entry, moment: Moment) -> Fact | None:
    """What of an entry counts at a moment that is not before it."""
    if not moment.effective:
        return entry.fact
    return effective(entry.fact, day_of(entry.recorded_at), moment.today)
