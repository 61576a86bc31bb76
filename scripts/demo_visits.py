"""The demo's campaign (演示走访): grid workers without signal, who send in at night."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID

import msgspec

from ledger.application import Ledger
from ledger.campaigns.campaign import Plan
from ledger.campaigns.listing import NewHousehold
from ledger.campaigns.questionnaire import AskIf, Option, Question
from ledger.contributions.visit import VISIT, VisitBody
from ledger.days import SHANGHAI
from ledger.parcels import Item, Parcel, Synced
from ledger.participants import Actor
from scripts.demo_city import GRIDS, City

HOUSEHOLDS_A_GRID = 40
VISITS_A_WORKDAY = 6
OUTCOMES = ("met", "met", "met", "nobody_home", "nobody_home", "by_phone", "moved")
PLAN = Plan(
    name="春季治水大走访",
    topics=("节水", "垃圾分类"),
    materials={"宣传册": 2_000},
    questionnaire=(
        Question(
            id="water", zh="您觉得河水怎么样？", en="How is the river?",
            options=(Option("good", "好", "good"), Option("bad", "差", "bad")),
        ),
        Question(
            id="why", zh="差在哪里？", en="What is wrong with it?", kind="multi",
            options=(Option("smell", "有异味", "smell"), Option("litter", "有垃圾", "litter")),
            ask_if=AskIf("water", ("bad",)),
        ),
    ),
)  # fmt: skip


class Rounds:
    """A campaign over the city's grids, and the workers who go from door to door."""

    def __init__(self, ledger: Ledger, city: City, who: Callable[..., list[Actor]]) -> None:
        self._ledger, self._city, self._who = ledger, city, who
        self.campaign = UUID(int=0)
        self._sequence: dict[UUID, int] = {}

    def open(self, now: datetime) -> None:
        """Plan the campaign, list its households and open it."""
        (dispatcher,) = self._who("dispatcher")
        named, request = self._city.named, msgspec.to_builtins(PLAN)
        planned = self._ledger.plan_campaign(
            dispatcher, PLAN, request, named("campaign", "plan"), now
        )
        self.campaign = planned.id
        if planned.replayed:
            return
        doors = [NewHousehold(f"{grid}-{number:03}", grid, f"滨河路 {number} 号")
                 for grid in GRIDS for number in range(HOUSEHOLDS_A_GRID)]  # fmt: skip
        self._ledger.list_households(self.campaign, doors, now)
        self._ledger.open_campaign(dispatcher, self.campaign, {}, named("campaign", "open"), now)

    def day(self, day: date, rng: Random) -> Iterator[tuple[datetime, Actor, Parcel]]:
        """What each worker's phone sends in on the evening of a workday."""
        if day.isoweekday() > 5:
            return
        for actor in self._who("grid_worker"):
            evening = datetime.combine(day, time(19), SHANGHAI) + timedelta(
                seconds=rng.randrange(3600)
            )
            items = [self._item(actor, day, number, evening, rng)
                     for number in range(VISITS_A_WORKDAY)]  # fmt: skip
            yield evening, actor, Parcel(actor, "demo", evening, items)

    def send(self, parcel: Parcel, now: datetime) -> Synced:
        """Send a parcel in."""
        return self._ledger.sync(parcel, now)

    def _item(
        self, actor: Actor, day: date, number: int, evening: datetime, rng: Random
    ) -> Item:
        tree, own = self._ledger.districts.current(), actor.district
        grids = [grid for grid in GRIDS if own in (None, *tree.path(grid))]
        household = f"{rng.choice(grids or GRIDS)}-{rng.randrange(HOUSEHOLDS_A_GRID):03}"
        outcome = rng.choice(OUTCOMES)
        met = outcome == "met"
        bad = rng.random() < 0.3
        body = VisitBody(
            campaign_id=self.campaign, household=household,
            outcome=outcome,  # type: ignore[arg-type]
            topics=PLAN.topics if met else (), materials={"宣传册": 1} if met else {},
            answers={"water": "bad", "why": ("litter",)} if met and bad
            else {"water": "good"} if met else {},
        )  # fmt: skip
        seq = self._sequence[actor.participant_id] = self._sequence.get(actor.participant_id, 0) + 1
        return Item(
            kind=VISIT.kind, body=body, request=msgspec.to_builtins(body), device_seq=seq,
            submission_id=self._city.named(day, "door", actor.participant_id, number),
            recorded_at=evening - timedelta(hours=9) + timedelta(minutes=20 * number),
        )  # fmt: skip
