"""Named examples: people, a straight made-up river, and walks along it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
from pyproj import Geod

from ledger.application import Ledger, Receipt
from ledger.contributions import BY_KIND
from ledger.participants import Actor
from ledger.reversals import ReversalReason
from ledger.reversing import ReversalReceipt
from ledger.rivers import ReachImported
from ledger.spending.catalogue import Terms
from ledger.spending.holding import RedemptionReceipt
from ledger.spending.redeeming import Order

NOW = datetime(2026, 5, 20, 4, 0, tzinfo=UTC)  # noon in Shanghai
REACH_ID = UUID("00000000-0000-4000-8000-000000000001")
WEST, SOUTH = 112.08, 32.68
STEP_SECONDS = 30
GEOD = Geod(ellps="WGS84")


def a_reach(district: str | None = None) -> ReachImported:
    """A river that runs due east for some 9 km."""
    line = tuple((round(WEST + index * 0.01, 6), SOUTH) for index in range(11))
    return ReachImported(
        reach_id=REACH_ID, name="样例河", district=district, official_code=None, length_m=9390,
        lines=(line,),
    )  # fmt: skip


def a_walk(
    metres: float, seconds: float, ended: datetime, *, offset_m: float = 5.0, start_m: float = 0.0
) -> dict:
    """A clean walk due east beside the river, ``offset_m`` north of it, as an API body."""
    steps = max(int(seconds // STEP_SECONDS), 2)
    lon, lat, _ = GEOD.fwd(WEST, SOUTH, 0, offset_m)
    lon, lat, _ = GEOD.fwd(lon, lat, 90, start_m)
    coordinates, times = [], []
    for step in range(steps + 1):
        x, y, _ = GEOD.fwd(lon, lat, 90, metres * step / steps)
        coordinates.append([x, y])
        moment = ended - timedelta(seconds=seconds * (1 - step / steps))
        times.append(moment.isoformat())
    return {"crs": "wgs84", "track": {"coordinates": coordinates, "times": times}}


def a_noisy_walk(ended: datetime, seed: int = 1) -> dict:
    """A walk as a phone records it: 900 m in 25 minutes, a fix every 10 s, some metres off."""
    dice, steps = random.Random(seed), 150
    coordinates, times = [], []
    for step in range(steps + 1):
        pace = step + dice.uniform(-0.4, 0.4)
        x, y, _ = GEOD.fwd(WEST, SOUTH, 90, 50 + 6 * max(pace, 0))
        x, y, _ = GEOD.fwd(x, y, 0, 8 + dice.gauss(0, 3))
        coordinates.append([x, y])
        times.append((ended - timedelta(seconds=10 * (steps - step))).isoformat())
    return {"crs": "wgs84", "track": {"coordinates": coordinates, "times": times}}


def a_report(text: str = "河岸有垃圾") -> dict:
    return {"category": "litter", "text": text}


def a_visit(household: str = "H-0001", outcome: str = "met") -> dict:
    return {"household": household, "outcome": outcome}


def someone(ledger: Ledger, role: str = "citizen", district: str | None = None) -> Actor:
    """A new participant with a token of the role."""
    token = ledger.issue_token(role, NOW, district=district).token
    actor = ledger.authenticate(token)
    assert actor is not None
    return actor


def contribute(
    ledger: Ledger,
    kind: str,
    actor: Actor,
    body: dict,
    now: datetime = NOW,
    submission_id: UUID | None = None,
) -> Receipt:
    """Send a body in as the API would."""
    contribution = BY_KIND[kind]
    typed = msgspec.convert(body, contribution.body)
    return ledger.contribute(contribution, actor, typed, body, submission_id or uuid4(), now)


def verify(ledger: Ledger, receipt: Receipt, reviewer: Actor, now: datetime = NOW, tier: int = 1):
    return ledger.review(
        BY_KIND[receipt.kind], reviewer, receipt.id, uuid4(), now, tier=tier, reason=""
    )


def consent(
    ledger: Ledger, person: UUID, given: bool, alias: str | None = None, sent: UUID | None = None
) -> tuple[int, bool]:
    """Give or withdraw the consent to be shown on the boards."""
    return ledger.consent(
        person, "board", given, NOW, submission_id=sent or uuid4(),
        request={"given": given, "alias": alias}, alias=alias,
    )  # fmt: skip


def an_offer(ledger: Ledger, by: Actor, now: datetime = NOW, **terms: Any) -> UUID:
    """An offer of tea for 10 coins, unless ``terms`` say otherwise; its id."""
    told = Terms(**{"name": "河畔茶", "price": 10, "stock": 5, "unit": "份", **terms})
    return ledger.publish_offer(by, told, {}, uuid4(), now).offer.offer_id


def redeem(
    ledger: Ledger, actor: Actor, offer_id: UUID, quantity: int = 1, now: datetime = NOW,
    account_id: UUID | None = None, submission_id: UUID | None = None,
) -> RedemptionReceipt:  # fmt: skip
    """Ask for an offer as the API would."""
    order = Order(offer_id, quantity, account_id)
    request = {"offer_id": str(offer_id), "quantity": quantity}
    return ledger.redeem(actor, order, request, submission_id or uuid4(), now)


def rewarded(ledger: Ledger, coins: int = 10, now: datetime = NOW) -> Actor:
    """A new citizen who earned coins by verified reports: 10, 30, or 45 a day at most."""
    citizen, reviewer = someone(ledger), someone(ledger, "dispatcher")
    earn(ledger, citizen, reviewer, coins, now)
    return citizen


def earn(
    ledger: Ledger, citizen: Actor, reviewer: Actor, coins: int = 10, now: datetime = NOW
) -> UUID:
    """A verified report worth 10, 30 or 45 coins; its id, which is the cause of the award."""
    report = contribute(ledger, "report", citizen, a_report(str(uuid4())), now)
    paid = verify(ledger, report, reviewer, now, tier={10: 1, 30: 2, 45: 3}[coins])
    assert paid.coins == coins
    return report.id


def take_back(
    ledger: Ledger, cause: UUID, reason: ReversalReason = "fraud", now: datetime = NOW
) -> ReversalReceipt:
    """Two people take back what was awarded for ``cause``."""
    officer, approver = someone(ledger, "reward_officer"), someone(ledger, "approver")
    found = ledger.propose_reversal(officer, cause, reason, "x", {}, uuid4(), now)
    return ledger.confirm_reversal(approver, found.id, {}, uuid4(), now)
