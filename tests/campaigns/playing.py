"""Playing a script at one household: what arrives when, sent again until nothing changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from uuid import UUID, uuid4

import msgspec

from ledger import identity
from ledger.application import Ledger
from ledger.campaigns.edits import VisitEditBody
from ledger.contributions import BY_KIND
from ledger.contributions.visit import VisitBody
from ledger.errors import LedgerError
from ledger.parcels import EDIT, WITHDRAWAL, Item, Parcel
from ledger.participants import Actor
from tests.campaigns.offline import City, Step, body_of

MARKS = {"?": "waiting", "!": "invalid", "=": "replayed"}
RECORDED = ("created", "replayed")


class Play:
    """One arrival of a script at one household."""

    def __init__(self, city: City, campaign: UUID, household: str, steps: dict[str, Step]) -> None:
        self.city, self.ledger, self.steps = city, city.ledger, steps
        self.campaign, self.household = campaign, household
        self.sent = {name: uuid4() for name in steps}
        owner = self._actor("v").participant_id
        self.visit_id = identity.contribution_id(owner, "visit", self.sent["v"])
        self.numbers: dict[str, int] = {}
        self.status: dict[str, str] = {}
        self.code: dict[str, str] = {}

    def twin(self, ledger: Ledger) -> Play:
        """The same play as another process sends it."""
        other = Play(self.city.elsewhere(ledger), self.campaign, self.household, self.steps)
        other.sent, other.visit_id = self.sent, self.visit_id
        return other

    def arrive(self, arrival: str) -> None:
        """Let it all arrive, check what becomes of it at first, and send again what is left."""
        for parcel in re.findall(r"\([^)]*\)|\S+", arrival):
            tokens = parcel.strip("()").split()
            names = [one.rstrip("?!=") for one in tokens]
            for token, name, status in zip(tokens, names, self.send(names), strict=True):
                wanted = MARKS.get(token[-1], "created")
                assert status == wanted, (arrival, token, status, self.code.get(name))
        self.settle()
        head, before = self.ledger.head(), dict(self.status)
        self.send(list(self.steps))
        assert self.ledger.head() == head, "sent again, it was recorded twice"
        settled = {name: "replayed" if was in RECORDED else was for name, was in before.items()}
        assert self.status == settled

    def settle(self) -> None:
        """Send what is not recorded for as long as something of it is taken in."""
        before = -1
        while before < self.ledger.head():
            before = self.ledger.head()
            self.send([name for name in self.steps if self.status.get(name) not in RECORDED])

    def send(self, names: Sequence[str]) -> list[str]:
        """Send steps in this order, those of one person behind each other in one parcel."""
        for who, group in groupby(names, lambda name: (self.steps[name].who, self._kind(name))):
            together = list(group)
            if who[1] == "online":
                for name in together:
                    self._alone(name)
            else:
                self._parcel(self.city.people[who[0]], together)
        return [self.status[name] for name in names]

    def _kind(self, name: str) -> str:
        how = self.steps[name].how
        return "parcel" if how in ("visit", "offline", "withdraw") else "online"

    def _actor(self, name: str) -> Actor:
        return self.city.people[self.steps[name].who]

    def _parcel(self, actor: Actor, names: Sequence[str]) -> None:
        parcel = Parcel(actor, "phone", self.city.now, [self._item(name) for name in names])
        results = self.ledger.sync(parcel, self.city.now).results
        for name, result in zip(names, results, strict=True):
            self.status[name] = result.status
            self.code[name] = result.refusal.code if result.refusal else ""
            if (version := getattr(result.receipt, "version", None)) is not None:
                self.numbers[name] = version

    def _item(self, name: str) -> Item:
        step, mine = self.steps[name], self.steps[name].who == self.steps["v"].who
        about = self.sent["v"] if mine else self.visit_id
        if step.how == "visit":
            request = {
                "campaign_id": str(self.campaign), "household": self.household,
                **body_of(step.fields),
            }  # fmt: skip
            if "C" in self.city.people:
                request["visitors"] = [str(self.city.people["C"].participant_id)]
            return Item(kind="visit", submission_id=self.sent[name], request=request,
                        body=msgspec.convert(request, VisitBody))  # fmt: skip
        if step.how == "withdraw":
            return Item(kind=WITHDRAWAL, submission_id=self.sent[name], about=about)
        request = {"replaces": self._replaces(step.on), **body_of(step.fields)}
        return Item(kind=EDIT, submission_id=self.sent[name], about=about, request=request,
                    body=msgspec.convert(request, VisitEditBody))  # fmt: skip

    def _replaces(self, on: str) -> int | str:
        if on == "now":
            return self.ledger.visit(self.visit_id).number
        if on.startswith("#"):
            return int(on[1:]) if on[1:].isdigit() else self.numbers[on[1:]]
        return str(self.visit_id if on == "id" else self.sent.setdefault(on, uuid4()))

    def _alone(self, name: str) -> None:
        try:
            replayed = self._command(name)
            self.status[name] = "replayed" if replayed else "created"
        except LedgerError as refusal:
            self.status[name], self.code[name] = "invalid", refusal.code

    def _command(self, name: str) -> bool:
        step, actor, sent = self.steps[name], self._actor(name), self.sent[name]
        ledger, now = self.ledger, self.city.now
        if step.how == "online":
            # What was sent is sent again as it was, whatever the newest version is by now.
            self.numbers.setdefault(f"on {name}", self.numbers.get(step.on.lstrip("#"), 0) or int(
                self._replaces(step.on)))  # fmt: skip
            request = {"replaces": self.numbers[f"on {name}"], **body_of(step.fields)}
            body = msgspec.convert(request, VisitEditBody)
            receipt = ledger.edit_visit(actor, self.visit_id, body, request, sent, now)
            self.numbers[name] = receipt.version
            return receipt.replayed
        if step.how == "close":
            return ledger.close_campaign(actor, self.campaign, {}, sent, now).replayed
        tier = 1 if step.how == "verify" else None
        return ledger.review(
            BY_KIND["visit"], actor, self.visit_id, sent, now, tier=tier, reason=""
        ).replayed


def orders(steps: dict[str, Step], most: int) -> Iterator[str]:
    """Arrivals of offline steps: forwards, backwards, in parcels, and turned round in between."""
    names = list(steps)
    turned = [names[one:] + names[:one] for one in range(1, len(names))]
    swapped = [[*names[:one], names[one + 1], names[one], *names[one + 2 :]]
               for one in range(len(names) - 1)]  # fmt: skip
    seen: list[list[str]] = []
    for order in (names, names[::-1], *turned, *swapped):
        if order not in seen:
            seen.append(order)
    for order in seen[:most]:
        yield " ".join(marked(steps, order))
    for order in seen[:2]:
        groups = [list(group) for _, group in groupby(order, lambda name: steps[name].who)]
        arrived: set[str] = set()
        told = []
        for group in groups:
            marks = marked(steps, group, arrived, together=True)
            arrived |= {one for one in marks if one[-1] not in MARKS}
            told.append(f"({' '.join(marks)})")
        yield " ".join(told)


def marked(
    steps: dict[str, Step], order: Sequence[str], before: set[str] = frozenset(),
    *, together: bool = False,
) -> list[str]:  # fmt: skip
    """The steps with a mark on those that wait, which builds on what did not arrive yet."""
    arrived = set(before)

    def ready(name: str) -> bool:
        on = steps[name].on
        return steps[name].how == "visit" or (
            "v" in arrived and (on in ("", "id") or on.startswith("#") or on in arrived)
        )

    marks = {}
    rounds = len(order) if together else 1
    for _ in range(rounds):
        for name in order:
            if name not in arrived:
                marks[name] = "" if ready(name) else "?"
                arrived |= {name} if ready(name) else set()
    return [name + marks[name] for name in order]
