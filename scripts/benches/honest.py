"""Long honest logs, made quickly: patrols that were recorded, judged and paid as the rules say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid5

from ledger import identity
from ledger.contributions.base import State
from ledger.contributions.patrol import PATROL, PatrolAssessed, PatrolRecorded, PatrolRules
from ledger.days import day_of
from ledger.facts import Entry, Fact
from ledger.participants import ParticipantRegistered
from ledger.policy import PolicyBook, PolicyPublished
from ledger.settlement import default_policy, parsed, settle
from ledger.tracks.metrics import Metrics
from ledger.wallet import Wallet
from scripts.benches.filled import DISTRICTS, NOW, people

WALK = Metrics(
    points=300, used_points=300, timed_points=300, duration_s=1_500, length_m=950,
    speed_p50_mm_s=900, speed_p90_mm_s=1_200, near_permille=1_000, near_length_m=950,
)  # fmt: skip


def honest(count: int, days: int, seed: int = 0) -> Iterator[Entry]:
    """So many people, each of whom patrols once a day; three entries a patrol, no fault in any."""
    policy = parsed(default_policy())
    published = PolicyPublished(
        version=policy.version, effective_from=policy.effective_from, toml=default_policy()
    )
    book, persons = PolicyBook().with_facts([published]), people(count, seed)
    first = NOW - timedelta(days=days)
    yield Entry(identity.POLICIES, 1, first, published)
    registered = ParticipantRegistered(
        role="citizen", district=None, consents=("board",), sealed=(), body_digest=""
    )
    for person in persons:
        yield Entry(person, 1, first, registered)
    wallets = {person: Wallet() for person in persons}
    for day in range(1, days + 1):
        for number, person in enumerate(persons):
            yield from _patrol(person, number, day, days, wallets[person], book)


def _patrol(
    person: UUID, number: int, day: int, days: int, wallet: Wallet, book: PolicyBook
) -> Iterator[Entry]:
    moment = NOW - timedelta(days=days - day)
    cause, ended = uuid5(person, f"patrol {day}"), moment - timedelta(minutes=1 + number % 60)
    recorded = PatrolRecorded(
        participant_id=person, role="citizen", role_district=None, districts=DISTRICTS,
        earned_on=day_of(ended), body_digest="0" * 64, began_at=ended - timedelta(minutes=25),
        ended_at=ended,
    )  # fmt: skip
    assert PATROL.verdict is not None
    blank = PatrolAssessed(policy_version=book.published[0].version, verdict="", reasons=(),
                           metrics=WALK)  # fmt: skip
    verdict, reasons = PATROL.verdict(recorded, blank, PatrolRules(), moment)
    assessed = PatrolAssessed(
        policy_version=blank.policy_version, verdict=verdict, reasons=reasons, metrics=WALK
    )
    state, facts = State(), list[Fact]([recorded, assessed])
    for version, fact in enumerate(facts, 1):
        entry = Entry(cause, version, moment, fact)
        state.apply(entry)
        yield entry
    settled = settle(PATROL, state, cause, wallet, book, moment)
    assert settled is not None
    paid = Entry(identity.wallet_id(person), wallet.version + 1, moment, settled.money)
    wallet.apply(paid)
    yield paid
