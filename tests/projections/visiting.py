"""A random campaign: visits, edits, withdrawals and refusals over three grids of two towns."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from uuid import uuid4

from ledger.campaigns.edits import VisitEditBody
from ledger.contributions import BY_KIND
from ledger.days import day_of
from ledger.districts import DistrictImported
from projections.paging import CITY
from tests.ledger.campaigns import a_campaign, a_door_visit
from tests.ledger.examples import NOW, contribute, someone

GRIDS = ("g1", "g2", "g3")
PATHS = {"g1": ("g1", "t1", "c"), "g2": ("g2", "t1", "c"), "g3": ("g3", "t2", "c")}
PLACES = (*GRIDS, "t1", "t2", "c", CITY)
G1_MOVED = DistrictImported(code="g1", name="g1", parent="t2", kind="grid")
OUTCOMES = ("met", "nobody_home", "nobody_home", "nobody_home", "refused", "by_phone", "moved")


class Story:
    """A campaign over three grids of two towns, and what happens to random visits in it."""

    def __init__(self, ledger, seed: int) -> None:
        self.ledger, self.random = ledger, Random(seed)
        tree = [("c", None, "city"), ("t1", "c", "town"), ("t2", "c", "town"),
                ("g1", "t1", "grid"), ("g2", "t1", "grid"), ("g3", "t2", "grid")]  # fmt: skip
        ledger.import_districts(
            [DistrictImported(code=c, name=c, parent=p, kind=k) for c, p, k in tree], NOW
        )
        self.doors = {f"H{n}": GRIDS[n % 3] for n in range(9)}
        self.by = someone(ledger, "dispatcher")
        self.campaign = a_campaign(ledger, self.doors, by=self.by, materials={"booklet": 999})
        self.workers = [someone(ledger, "grid_worker") for _ in range(3)]
        self.visits: list = []
        self.stock: dict[str, int] = {}

    def go_on(self, steps: int) -> None:
        for _ in range(steps):
            self.random.choice(
                (self.visit,) * 4 + (self.edit, self.withdraw, self.refuse, self.allot)
            )()

    def visit(self) -> None:
        household, outcome = self.random.choice(list(self.doors)), self.random.choice(OUTCOMES)
        more = {"materials": {"booklet": self.random.randrange(4)}} if outcome == "met" else {}
        ago = timedelta(days=self.random.randrange(3), hours=self.random.randrange(9))
        more["recorded_at"] = (NOW - ago).isoformat()
        if self.random.random() < 0.2:
            more["follow_up_on"] = str(self._day(day_of(NOW - ago)))
        body = a_door_visit(self.campaign, household, outcome, **more)
        worker = self.random.choice(self.workers)
        self.visits.append((worker, contribute(self.ledger, "visit", worker, body).id))

    def _day(self, first: date) -> date:
        """One that may be promised on a day, soon or much later."""
        return first + timedelta(days=self.random.choice((0, 0, 1, 2, 300)))

    def edit(self) -> None:
        if self.visits:
            _, visit = self.random.choice(self.visits)
            change = VisitEditBody(
                replaces=self.random.randint(1, self.ledger.visit(visit).number),
                outcome=self.random.choice(OUTCOMES), materials={"booklet": 2},
                follow_up_on=self._day(NOW.date()) if self.random.random() < 0.2 else None,
            )  # fmt: skip
            editor = self.random.choice(self.workers)
            self.ledger.edit_visit(editor, visit, change, {}, uuid4(), NOW)

    def allot(self) -> None:
        """A grid gets so many booklets in all, by whatever was handed out there at least."""
        grid, count = self.random.choice(GRIDS), 100 + self.random.randrange(50)
        self.ledger.allot_stock(self.by, self.campaign, grid, "booklet", count, {}, uuid4(), NOW)
        self.stock[grid] = count

    def withdraw(self) -> None:
        if self.visits:
            worker, visit = self.visits.pop(self.random.randrange(len(self.visits)))
            self.ledger.withdraw_visit(worker, visit, {}, uuid4(), NOW)

    def refuse(self) -> None:
        if self.visits:
            _, visit = self.visits.pop(self.random.randrange(len(self.visits)))
            kind = BY_KIND["visit"]
            self.ledger.review(kind, self.by, visit, uuid4(), NOW, tier=None, reason="编造")

    def standing(self) -> list:
        return [self.ledger.visit(visit).recorded for _, visit in self.visits]
