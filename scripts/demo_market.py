"""The demo's market (演示商城): what coins are spent on, and a pilot year whose coins ran out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from ledger.application import Ledger
from ledger.contributions import REPORT
from ledger.contributions.report import ReportBody
from ledger.days import SHANGHAI
from ledger.errors import RedemptionRefusal
from ledger.participants import Actor
from ledger.spending.catalogue import Terms
from ledger.spending.holding import RedemptionReceipt
from ledger.spending.redeeming import Order
from scripts.demo_city import City

# Coins of the pilot were good until the end of the next year, so what is not spent expires.
PILOT_DAY = date(2024, 12, 16)
PILOT_OVER = date(2026, 1, 1)
PILOT_PEOPLE = 4
ASKED_A_DAY = 6
COLLECTED = 0.8  # of what is redeemed; the rest is cancelled again
OFFERS = (
    Terms(name="话费充值 2 元", price=10, stock=400, unit="份", kind="phone_credit",
          per_person_month=3),
    Terms(name="清泉茶一盒", price=30, stock=20, unit="盒", pick_up_points=("上柳镇便民服务中心",)),
    Terms(name="公交乘车券", price=5, stock=None, unit="张", kind="bus_rides", multiple=2),
    Terms(name="捐给河岸补绿", price=1, stock=None, unit="枚", kind="donation"),
)  # fmt: skip


class Market:
    """Offers of one merchant; citizens who ask, collect and think better of it."""

    def __init__(
        self, ledger: Ledger, city: City, who: Callable[..., list[Actor]],
        count: Callable[[Any], None],
    ) -> None:  # fmt: skip
        self._ledger, self._city, self._who, self._count = ledger, city, who, count
        self._offers: list[UUID] = []

    def open(self, now: datetime) -> None:
        """Put the offers into the catalogue."""
        (merchant,) = self._who("merchant")
        for number, terms in enumerate(OFFERS):
            receipt = self._ledger.publish_offer(
                merchant, terms, msgspec.to_builtins(terms), self._city.named("offer", number), now
            )
            self._offers.append(receipt.offer.offer_id)
            self._count(receipt)

    def pilot(self) -> None:
        """The pilot: a few early reports are paid, some coins are spent, the rest expires."""
        (dispatcher,) = self._who("dispatcher")
        noon = datetime.combine(PILOT_DAY, time(12), SHANGHAI)
        body = ReportBody(category="litter", text="试点期间发现的垃圾。")
        assert self.pilots()
        for number, actor in enumerate(self.pilots()):
            submission = self._city.named("pilot", number)
            receipt = self._ledger.contribute(
                REPORT, actor, body, msgspec.to_builtins(body), submission, noon
            )
            self._count(receipt)
            self._count(self._ledger.review(
                REPORT, dispatcher, receipt.id, self._city.named("pilot-review", number), noon,
                tier=2, reason="",
            ))  # fmt: skip
            self._ask(actor, 0, 1, noon + timedelta(hours=1), collected=True)
        self._take_back(receipt.id, noon + timedelta(days=2))
        late = datetime.combine(PILOT_OVER, time(3), SHANGHAI)
        list(self._ledger.expire_all(PILOT_OVER, late))

    def _take_back(self, cause: UUID, now: datetime) -> None:
        """The last report turns out to be invented: two people take its coins back."""
        (officer,), (approver,) = self._who("reward_officer"), self._who("approver")
        words, submission = "照片是旧的，现场没有垃圾。", self._city.named("reversal", cause)
        proposed = self._ledger.propose_reversal(
            officer, cause, "fraud", words, {"reason": words}, submission, now
        )
        self._count(proposed)
        self._count(self._ledger.confirm_reversal(
            approver, proposed.id, {}, submission, now + timedelta(hours=1)
        ))  # fmt: skip

    def pilots(self) -> list[Actor]:
        """Who took part in the pilot."""
        return self._who("citizen")[:PILOT_PEOPLE]

    def day(self, day: date, rng: Random) -> None:
        """An evening: some ask for something, whether or not they have the coins."""
        moment = datetime.combine(day, time(21), SHANGHAI)
        people = self._who("citizen", "civic_river_chief", "grid_worker", "cleaner")
        for actor, offer in self._asking(day, rng, people):
            moment += timedelta(minutes=1)
            quantity = OFFERS[offer].multiple
            self._ask(actor, offer, quantity, moment, collected=rng.random() < COLLECTED)

    def _asking(
        self, day: date, rng: Random, people: list[Actor]
    ) -> Iterator[tuple[Actor, int]]:
        # One of the pilot comes back now and then, so that a wallet has a story to tell.
        if day.toordinal() % 3 == 0:
            yield rng.choice(self.pilots()), 0
        for _ in range(ASKED_A_DAY):
            yield rng.choice(people), rng.randrange(len(OFFERS))

    def _ask(
        self, actor: Actor, offer: int, quantity: int, now: datetime, *, collected: bool
    ) -> None:
        order = Order(self._offers[offer], quantity)
        submission = self._city.named("redeem", actor.participant_id, offer, now)
        try:
            receipt = self._ledger.redeem(
                actor, order, msgspec.to_builtins(order), submission, now
            )
        except RedemptionRefusal:
            return  # That stands in the log as well, with its reason.
        self._count(receipt)
        if receipt.voucher is not None:
            self._count(self._end(actor, receipt, now + timedelta(seconds=30), collected))

    def _end(
        self, actor: Actor, receipt: RedemptionReceipt, now: datetime, collected: bool
    ) -> RedemptionReceipt:
        submission = self._city.named("end", receipt.id)
        if not collected:
            return self._ledger.cancel(actor, receipt.id, {}, submission, now)
        (merchant,) = self._who("merchant")
        voucher = receipt.voucher or ""
        return self._ledger.collect(
            merchant, receipt.id, voucher, {"voucher": voucher}, submission, now
        )
