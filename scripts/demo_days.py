"""The demo's weeks: what people do day by day, each through the same method the API calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from ledger import access
from ledger.application import Ledger, Receipt
from ledger.contributions import PATROL, REPORT, VISIT
from ledger.contributions.base import Contribution
from ledger.contributions.patrol import Device, PatrolBody, TrackBody
from ledger.contributions.report import ReportBody
from ledger.days import SHANGHAI
from ledger.parcels import Parcel, Synced
from ledger.participants import Actor
from scripts.demo_city import TOWNS, City, Person
from scripts.demo_market import PILOT_DAY, Market
from scripts.demo_visits import Rounds
from scripts.demo_walks import CHEATS, honest

FIRST_DAY = date(2026, 3, 2)
# How likely somebody in a role patrols on a day.
PATROLS = {
    "citizen": 0.07,
    "civic_river_chief": 0.35,
    "grid_worker": 0.15,
    "cleaner": 0.20,
    "village_chief": 0.40,
    "enterprise": 0.15,
}
CHEATS_A_DAY = 3
REPORTS_A_DAY = 4
LOOKED_AT = 0.9  # of what waits; the rest stays waiting
FOUND_TRUE = 0.75
CATEGORIES = ("litter", "floating_debris", "direct_sewage", "oil", "bank_damage", "signboard")
REMEMBERED_TRACKS = 40
REGISTRAR = Person(UUID(int=1), "registrar", None, "登记员", "19900000000")


class Deed(msgspec.Struct, frozen=True):
    """Something one person does at a moment; ``name`` orders what happens at the same time."""

    moment: datetime
    name: str
    do: Callable[[datetime], Receipt | Synced]


class Play:
    """Plays a city into a ledger; a second time every command is a replay and adds nothing."""

    def __init__(self, ledger: Ledger, city: City) -> None:
        self.ledger, self.city = ledger, city
        self.courses, self.reaches = city.courses(), city.reaches()
        self.actors: list[tuple[Person, Actor]] = []
        self.replayed: Counter[bool] = Counter()
        self._tracks: list[tuple[UUID, int, TrackBody]] = []
        self._waiting: list[tuple[Contribution, Receipt]] = []
        self.market = Market(ledger, city, self._who, self._count)
        self.rounds = Rounds(ledger, city, self._who)

    def found(self) -> None:
        """Districts, river, people and offers on the eve of the pilot, and the pilot itself."""
        eve = datetime.combine(PILOT_DAY, time(0), SHANGHAI) - timedelta(hours=12)
        self.ledger.import_districts(self.city.districts(), eve)
        self.ledger.import_reaches(self.reaches, eve)
        founder = self.city.founder
        registrar = Actor(self._register(founder, REGISTRAR, None, eve), "registrar")
        employer: UUID | None = None
        for person in self.city.people():
            by = registrar if access.may_register(registrar, person.role, ()) else founder
            participant = self._register(by, person, employer, eve)
            if person.role == "enterprise" and not person.employed:
                employer = participant
            self.actors.append((person, Actor(participant, person.role, person.district)))
        self.market.open(eve)
        self.market.pilot()
        self.rounds.open(datetime.combine(FIRST_DAY, time(6), SHANGHAI))

    def _register(
        self, by: Actor, person: Person, employer: UUID | None, now: datetime
    ) -> UUID:
        personal = {"name": person.name, "phone": person.phone, "alias": person.alias}
        consents = ("track", "board") if person.alias else ("track",)
        registration = self.ledger.register(
            by, person.submission_id, person.role, now,
            request={**personal, "role": person.role, "consents": consents},
            district=person.district, consents=consents, personal=personal,
            employer=employer if person.employed else None,
        )  # fmt: skip
        self.replayed[registration.replayed] += 1
        return registration.participant_id

    def day(self, number: int) -> None:
        """Everything of the number-th day (from 0), in order of time."""
        day = FIRST_DAY + timedelta(days=number)
        rng = self.city.rng("day", number)
        for deed in sorted(self._reviews(day, rng), key=_order):
            self._count(deed.do(deed.moment))
        deeds = [*self._patrols(day, rng), *self._reports(day, rng), *self._visits(day, rng)]
        for deed in sorted(deeds, key=_order):
            self._count(deed.do(deed.moment))
        # Copies come last: what they copy was sent in before.
        for deed in list(self._copies(day, rng)):
            self._count(deed.do(deed.moment))
        self.market.day(day, self.city.rng("market", number))

    def _count(self, receipt: Any) -> None:
        self.replayed[receipt.replayed] += 1

    def _who(self, *roles: str) -> list[Actor]:
        return [actor for _, actor in self.actors if actor.role in roles]

    def _patrols(self, day: date, rng: Random) -> Iterator[Deed]:
        walkers = [each for each in self.actors if each[1].role in PATROLS]
        for person, actor in walkers:
            if rng.random() < PATROLS[person.role]:
                town = rng.randrange(len(TOWNS))
                if person.district in TOWNS and rng.random() < 0.7:
                    town = TOWNS.index(person.district)
                track = honest(self.courses[town], _at(day, rng, 6, 18), rng)
                self._tracks.append((actor.participant_id, town, track))
                yield self._patrol(actor, track, town, day, rng, "walk")
        for number in range(CHEATS_A_DAY):
            name = tuple(CHEATS)[(day.toordinal() * CHEATS_A_DAY + number) % len(CHEATS)]
            town = rng.randrange(len(TOWNS))
            track = CHEATS[name](self.courses[town], _at(day, rng, 6, 18), rng)
            actor = rng.choice(self._who("citizen"))
            yield self._patrol(actor, track, town, day, rng, name, mocked=name == "teleport")

    def _copies(self, day: date, rng: Random) -> Iterator[Deed]:
        """Somebody sends in another's walk as their own, a few hours later."""
        self._tracks = self._tracks[-REMEMBERED_TRACKS:]
        if not self._tracks or day.toordinal() % 2:
            return
        owner, town, track = rng.choice(self._tracks)
        actor = rng.choice([a for a in self._who("citizen") if a.participant_id != owner])
        began = track.times[0] if track.times else None
        later = _at(day, rng, 19, 21) - began if began else timedelta(0)
        shifted = TrackBody(
            track.coordinates,
            tuple(one + later for one in track.times or () if one),
            track.accuracies,
        )
        yield self._patrol(actor, shifted, town, day, rng, "copy")

    def _patrol(
        self, actor: Actor, track: TrackBody, town: int, day: date, rng: Random, how: str,
        *, mocked: bool = False,
    ) -> Deed:  # fmt: skip
        ended = track.times[-1] if track.times else None
        if ended is None or ended.year < FIRST_DAY.year:
            ended = _at(day, rng, 7, 19)
        sent = ended + timedelta(seconds=rng.randrange(20, 1200))
        body = PatrolBody(
            crs="wgs84",
            track=track,
            reach_id=str(self.reaches[town].reach_id),
            device=Device(mocked=mocked),
        )
        return self._deed(PATROL, actor, body, sent, how)

    def _reports(self, day: date, rng: Random) -> Iterator[Deed]:
        reporters = self._who("citizen", "civic_river_chief", "grid_worker", "cleaner")
        for number in range(REPORTS_A_DAY):
            reach = rng.choice(self.reaches)
            body = ReportBody(
                category=rng.choice(CATEGORIES),  # type: ignore[arg-type]
                text="河边发现问题，请处理。",
                reach_id=str(reach.reach_id),
            )
            moment = _at(day, rng, 7, 20)
            yield self._deed(REPORT, rng.choice(reporters), body, moment, f"report-{number}")

    def _visits(self, day: date, rng: Random) -> Iterator[Deed]:
        for moment, actor, parcel in self.rounds.day(day, rng):

            def do(now: datetime, parcel: Parcel = parcel) -> Synced:
                synced = self.rounds.send(parcel, now)
                self._waiting += [
                    (VISIT, one.receipt) for one in synced.results if one.state == "pending"
                ]
                return synced

            yield Deed(moment, f"{actor.participant_id}/visits", do)

    def _deed(
        self, contribution: Contribution, actor: Actor, body: Any, moment: datetime, how: str
    ) -> Deed:
        day = moment.astimezone(SHANGHAI).date()
        submission = self.city.named(day, contribution.kind, actor.participant_id, how, moment)

        def do(now: datetime) -> Receipt:
            receipt = self.ledger.contribute(
                contribution, actor, body, msgspec.to_builtins(body), submission, now
            )
            if receipt.state in ("pending", "review"):
                self._waiting.append((contribution, receipt))
            return receipt

        return Deed(moment, f"{actor.participant_id}/{how}", do)

    def _reviews(self, day: date, rng: Random) -> Iterator[Deed]:
        """The dispatcher's morning: what came in the day before is found true, or is not."""
        waiting, self._waiting = self._waiting, []
        (dispatcher,) = self._who("dispatcher")
        moment = datetime.combine(day, time(5), SHANGHAI)
        for contribution, receipt in waiting:
            looked_at, true = rng.random() < LOOKED_AT, rng.random() < FOUND_TRUE
            tier = rng.choices((1, 2, 3), (8, 2, 1))[0]
            moment += timedelta(seconds=5)
            if looked_at:
                yield Deed(moment, "review", self._review(
                    contribution, dispatcher, receipt.id, tier if true else None
                ))  # fmt: skip

    def _review(
        self, contribution: Contribution, actor: Actor, cause: UUID, tier: int | None
    ) -> Callable[[datetime], Receipt]:
        submission, reason = self.city.named("review", cause), "" if tier else "现场未见所报情况。"
        return lambda now: self.ledger.review(
            contribution, actor, cause, submission, now, tier=tier, reason=reason
        )


def _order(deed: Deed) -> tuple[datetime, str]:
    return deed.moment, deed.name


def _at(day: date, rng: Random, first_hour: int, last_hour: int) -> datetime:
    """A moment of the day, between the hours, to the second."""
    seconds = rng.randrange(first_hour * 3600, last_hour * 3600)
    return datetime.combine(day, time(0), SHANGHAI) + timedelta(seconds=seconds)
