"""A random campaign: visits, edits and withdrawals over three grids of two towns."""

from __future__ import annotations

from random import Random
from uuid import uuid4

from ledger.campaigns.edits import VisitEditBody
from ledger.districts import DistrictImported
from tests.ledger.campaigns import a_campaign, a_door_visit
from tests.ledger.examples import NOW, contribute, someone

GRIDS = ("g1", "g2", "g3")
OUTCOMES = ("met", "nobody_home", "nobody_home", "refused", "by_phone")


class Story:
    """A campaign over three grids of two towns, and random visits, edits and withdrawals in it."""

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

    def go_on(self, steps: int) -> None:
        for _ in range(steps):
            self.random.choice((self.visit, self.visit, self.edit, self.withdraw))()

    def visit(self) -> None:
        household, outcome = self.random.choice(list(self.doors)), self.random.choice(OUTCOMES)
        more = {"materials": {"booklet": self.random.randrange(4)}} if outcome == "met" else {}
        body = a_door_visit(self.campaign, household, outcome, **more)
        worker = self.random.choice(self.workers)
        self.visits.append((worker, contribute(self.ledger, "visit", worker, body).id))

    def edit(self) -> None:
        if self.visits:
            _, visit = self.random.choice(self.visits)
            change = VisitEditBody(
                replaces=self.random.randint(1, self.ledger.visit(visit).number),
                outcome=self.random.choice(OUTCOMES), materials={"booklet": 2},
            )  # fmt: skip
            editor = self.random.choice(self.workers)
            self.ledger.edit_visit(editor, visit, change, {}, uuid4(), NOW)

    def withdraw(self) -> None:
        if self.visits:
            worker, visit = self.visits.pop(self.random.randrange(len(self.visits)))
            self.ledger.withdraw_visit(worker, visit, {}, uuid4(), NOW)

    def standing(self) -> list:
        return [self.ledger.visit(visit).recorded for _, visit in self.visits]
