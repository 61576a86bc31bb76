"""A morning of visits (走访上午): what the phones mean to send, and the table it comes to.

All of it is by chance, and the same for the same seed. The table is counted from what was meant,
with nothing of ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from random import Random
from typing import Any
from uuid import UUID

SHANGHAI = timezone(timedelta(hours=8))
WORKERS_PER_GRID = 2
TRIES = 2
STOCK = {"booklet": 8_000, "bag": 8_000}
MORE_THAN_THERE_IS = 9_000
OF_PLACES = (
    "frame", "revisit_due", "stock", "shows", "headcount", "coverage", "attempted_rate"
)  # fmt: skip
OUTCOMES = ("met", "met", "met", "nobody_home", "nobody_home", "refused", "moved", "by_phone")


@dataclass
class Visit:
    """A visit as it is to stand in the end."""

    submission: str
    worker: Worker
    household: str
    outcome: str
    moment: datetime
    materials: Counter[str]
    follow_up_on: str | None = None
    withdrawn: bool = False

    @property
    def day(self) -> date:
        return self.moment.date()


@dataclass
class Worker:
    """A grid worker (网格员) with a phone, whose clock is ``skew`` ahead of ours."""

    number: int
    person: str
    token: str
    grid: str
    skew: timedelta
    items: list[dict[str, Any]] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)

    @property
    def device(self) -> str:
        return f"phone-{self.number}"

    def write(self, kind: str, moment: datetime, body: dict[str, Any], **more: Any) -> int:
        """Put an item into the phone's queue; its number."""
        seq = len(self.items) + 1
        claimed = (moment + self.skew).isoformat()
        self.items.append(
            {"kind": kind, "device_seq": seq, "recorded_at": claimed, "body": body, **more}
        )
        return seq


class Morning:
    """Everybody's visits, edits, withdrawals, reports and mistakes, of the last three mornings."""

    def __init__(
        self, campaign: str, workers: list[Worker], visits_each: int, today: date, seed: int
    ) -> None:
        self.campaign, self.workers, self._random = campaign, workers, Random(seed)
        self.visits: list[Visit] = []
        self.reports = self.edits = 0
        self.frame = {
            grid: [f"{grid}-{number:04}" for number in range(visits_each * WORKERS_PER_GRID)]
            for grid in sorted({one.grid for one in workers})
        }
        for worker in workers:
            for number in range(visits_each):
                moment = datetime(
                    today.year, today.month, today.day, 9, tzinfo=SHANGHAI
                ) + timedelta(days=-1 - number % 3, minutes=3 * number)
                # Never two at once at a door: phones tell a moment to some seconds only.
                moment += timedelta(seconds=90 * (worker.number % WORKERS_PER_GRID))
                self._visit(worker, moment)
                if number % 5 == 0:
                    self._something_else(worker, moment, number // 5)

    def id(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def _visit(self, worker: Worker, moment: datetime) -> None:
        chance = self._random
        materials = Counter(booklet=chance.randrange(3), bag=chance.randrange(2))
        visit = Visit(
            self.id(), worker, chance.choice(self.frame[worker.grid]), chance.choice(OUTCOMES),
            moment, materials,
            f"{moment.year + 1}-01-15" if chance.random() < 0.1 else None,
        )  # fmt: skip
        self.visits.append(visit)
        body = self._body(visit)
        if chance.random() < 0.1:
            self.reports += 1
            body["problems"] = [{"category": "litter", "text": "岸边有垃圾"}]
        fate = chance.random()
        if fate < 0.1:
            wrong = self._mistake(chance.randrange(4), worker)
            worker.write("visit", moment, body | wrong, fix=body)
            return
        worker.write("visit", moment, body)
        if fate < 0.2:
            self._withdraw(visit, moment)
        elif fate < 0.4:
            self._edit(visit, moment)

    def _body(self, visit: Visit) -> dict[str, Any]:
        body = {
            "submission_id": visit.submission, "campaign_id": self.campaign,
            "household": visit.household, "outcome": visit.outcome,
            "materials": dict(visit.materials),
        }  # fmt: skip
        return body | ({"follow_up_on": visit.follow_up_on} if visit.follow_up_on else {})

    def _withdraw(self, visit: Visit, moment: datetime) -> None:
        visit.withdrawn = True
        body = {"submission_id": self.id(), "visit": visit.submission}
        visit.worker.write("visit_withdrawal", moment, body)

    def _edit(self, visit: Visit, moment: datetime) -> None:
        """Once or twice by whoever made it, and maybe a field they leave alone by the colleague."""
        replaced = visit.submission
        for _ in range(self._random.randrange(1, 3)):
            visit.outcome = self._random.choice(OUTCOMES)
            visit.materials["booklet"] = self._random.randrange(4)
            body = {
                "submission_id": self.id(), "visit": visit.submission, "replaces": replaced,
                "outcome": visit.outcome, "materials": {"booklet": visit.materials["booklet"]},
            }  # fmt: skip
            replaced = body["submission_id"]
            visit.worker.write("visit_edit", moment, body)
            self.edits += 1
        if self._random.random() < 0.5:
            self._edit_of_the_colleague(visit, moment)

    def _edit_of_the_colleague(self, visit: Visit, moment: datetime) -> None:
        others = [one for one in self.workers if one.grid == visit.worker.grid]
        for colleague in others:
            if colleague is visit.worker:
                continue
            visit.follow_up_on = f"{moment.year + 1}-02-20"
            visit.materials["bag"] += 1
            colleague.write("visit_edit", moment, {
                "submission_id": self.id(), "visit": {"of": visit.worker.number,
                "submission_id": visit.submission}, "replaces": 1,
                "follow_up_on": visit.follow_up_on, "materials": {"bag": visit.materials["bag"]},
            })  # fmt: skip
            self.edits += 1
            return

    def _mistake(self, which: int, worker: Worker) -> dict[str, Any]:
        """Fields that get a visit refused: nobody knows the door, another grid, stock, a slip."""
        elsewhere = [grid for grid in self.frame if grid != worker.grid]
        return (
            {"household": "nobody-0000"},
            {"household": self.frame[elsewhere[0]][0]},
            {"materials": {"booklet": MORE_THAN_THERE_IS}},
            {"outcome": "perhaps"},
        )[which]

    def _something_else(self, worker: Worker, moment: datetime, number: int) -> None:
        """A report, or a visit that is refused however often it is sent."""
        if number % 2:
            self.reports += 1
            body = {"submission_id": self.id(), "category": "oil", "text": f"水面有油 {number}"}
            worker.write("report", moment, body)
            return
        body = {
            "submission_id": self.id(), "campaign_id": self.campaign, "outcome": "met",
            "household": self.frame[worker.grid][0],
        }  # fmt: skip
        wrong = self._mistake(number // 2 % 4, worker)
        worker.refused.add(worker.write("visit", moment, body | wrong))

    # What it comes to

    def standing(self) -> list[Visit]:
        return [one for one in self.visits if not one.withdrawn]

    def city(self) -> dict[str, Any]:
        """The counts of the whole campaign."""
        everywhere = [door for doors in self.frame.values() for door in doors]
        return _row(self.standing(), everywhere) | {"stock": dict(STOCK)}

    def table(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Rows of coverage by grid, worker and day, by what is asked for them: a query."""
        standing, told = self.standing(), {
            "by=grid": {
                grid: _row([one for one in self.standing() if one.worker.grid == grid], doors)
                for grid, doors in self.frame.items()
            }
        }
        for where, here in (
            ("", standing), ("&district=110", standing),
            *((f"&district={grid}", [one for one in standing if one.worker.grid == grid])
              for grid in self.frame),
        ):  # fmt: skip
            told[f"by=worker{where}"] = _rows(here, lambda one: one.worker.person)
            told[f"by=day{where}"] = _rows(here, lambda one: one.day.isoformat())
            for day in {one.day for one in standing} | {date(2020, 1, 1)}:
                that_day = [one for one in here if one.day == day]
                told[f"by=worker&on={day}{where}"] = _rows(that_day, lambda one: one.worker.person)
        return told


def _rows(visits: list[Visit], of: Callable[[Visit], str]) -> dict[str, dict[str, Any]]:
    return {
        name: _row([one for one in visits if of(one) == name], None)
        for name in {of(one) for one in visits}
    }


def _row(visits: list[Visit], frame: list[str] | None) -> dict[str, Any]:
    doors: dict[str, list[Visit]] = {}
    for one in visits:
        doors.setdefault(one.household, []).append(one)
    met = sum(any(one.outcome == "met" for one in door) for door in doors.values())
    given: Counter[str] = sum((one.materials for one in visits), Counter())
    told = {
        "attempted": len(doors), "met": met, "visits": len(visits),
        "outcomes": dict(Counter(one.outcome for one in visits)),
        "given": {kind: count for kind, count in given.items() if count},
    }  # fmt: skip
    if frame is None:
        return told | dict.fromkeys(OF_PLACES)
    return told | {
        "frame": len(frame), "revisit_due": sum(map(_due, doors.values())), "stock": {},
        "shows": 0, "headcount": 0, "coverage": round(met / len(frame), 4),
        "attempted_rate": round(len(doors) / len(frame), 4),
    }  # fmt: skip


def _due(door: list[Visit]) -> bool:
    """Nobody was home on the mornings tried, or a promise stands; all are for next year.

    A morning is shorter than the hours between two tries. Who moved since is not waited for.
    """
    nobody = all(one.outcome == "nobody_home" for one in door)
    return (nobody and len({one.day for one in door}) < TRIES) or any(
        one.follow_up_on
        and not any(later.outcome == "moved" and later.moment > one.moment for later in door)
        for one in door
    )


def meant(visits: Iterable[Visit]) -> Iterator[tuple[str, str]]:
    """Whose visit to whom each was to be."""
    for one in visits:
        yield one.worker.person, one.household
