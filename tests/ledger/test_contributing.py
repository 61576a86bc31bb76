"""Contributing and reviewing: once per submission, decided by others, explained to everybody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest

from ledger.coins import CoinsAwarded
from ledger.contributions import BY_KIND
from ledger.contributions.base import OPEN_STATES
from ledger.districts import DistrictImported
from ledger.errors import (
    AlreadyDecided,
    FutureTime,
    InvalidInput,
    NotFound,
    SelfReview,
    SubmissionConflict,
    UnknownReach,
)
from ledger.identity import wallet_id
from tests.ledger.examples import (
    NOW,
    a_noisy_walk,
    a_reach,
    a_report,
    a_walk,
    contribute,
    someone,
    verify,
)


@pytest.fixture
def ledger(ledger):
    ledger.import_reaches([a_reach()], NOW)
    return ledger


def test_the_same_submission_gets_the_original_receipt(ledger):
    """A retry after more coins were earned still answers with the balance of its own time."""
    citizen, submission = someone(ledger), uuid4()
    body = a_walk(700, 1500, NOW)
    first = contribute(ledger, "patrol", citizen, body, submission_id=submission)
    later = NOW + timedelta(hours=3)
    contribute(ledger, "patrol", citizen, a_walk(900, 1500, later, offset_m=9), later)
    again = contribute(ledger, "patrol", citizen, body, later, submission_id=submission)
    assert again == msgspec.structs.replace(first, replayed=True)
    assert first.balance == 4


def test_a_report_replays_as_pending_even_when_verified_right_behind_it(ledger):
    """The receipt of the report does not swallow the review that follows it in the log."""
    citizen, reviewer, submission = someone(ledger), someone(ledger, "dispatcher"), uuid4()
    first = contribute(ledger, "report", citizen, a_report(), submission_id=submission)
    verify(ledger, first, reviewer)
    again = contribute(ledger, "report", citizen, a_report(), submission_id=submission)
    assert again == msgspec.structs.replace(first, replayed=True)


def test_another_body_under_the_same_submission_conflicts(ledger):
    """Same id, other content: refused, and nothing is written."""
    citizen, submission = someone(ledger), uuid4()
    contribute(ledger, "report", citizen, a_report("一"), submission_id=submission)
    head = ledger.head()
    with pytest.raises(SubmissionConflict):
        contribute(ledger, "report", citizen, a_report("二"), submission_id=submission)
    assert ledger.head() == head


def test_the_spelling_of_the_submission_id_is_no_other_body(ledger):
    """Upper case or without dashes it is the same id, and the answer is the same."""
    citizen, submission = someone(ledger), uuid4()
    spelt = [str(submission), str(submission).upper(), submission.hex]
    receipts = [
        ledger.contribute(
            BY_KIND["report"], citizen, msgspec.convert(a_report(), BY_KIND["report"].body),
            {**a_report(), "submission_id": text}, submission, NOW,
        )
        for text in spelt
    ]  # fmt: skip
    assert [one.replayed for one in receipts] == [False, True, True]


def test_somebody_elses_submission_id_is_another_submission(ledger):
    """Ids are scoped to the person, so nobody can probe or block another's."""
    submission = uuid4()
    receipts = [
        contribute(ledger, "report", someone(ledger), a_report(), submission_id=submission)
        for _ in range(2)
    ]
    assert receipts[0].id != receipts[1].id
    assert not any(receipt.replayed for receipt in receipts)


def test_one_submission_from_many_threads_is_one_patrol(open_ledger, ledger):
    """Sent 16 times at once through two ledgers: one patrol, one award, equal receipts."""
    ledgers, citizen, submission = (ledger, open_ledger()), someone(ledger), uuid4()
    body = a_walk(700, 1500, NOW)

    def send(number):
        return contribute(ledgers[number % 2], "patrol", citizen, body, submission_id=submission)

    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(send, range(16)))
    assert [one.replayed for one in receipts].count(False) == 1
    same = {msgspec.json.encode(msgspec.structs.replace(one, replayed=False)) for one in receipts}
    assert len(same) == 1
    assert sum(isinstance(entry.fact, CoinsAwarded) for entry in ledger.entries()) == 1


def test_one_wallet_hit_from_all_sides_keeps_its_caps(open_ledger, ledger):
    """Twelve reports of one person verified at once pay 45 coins together, never more."""
    citizen, reviewer, other = someone(ledger), someone(ledger, "dispatcher"), open_ledger()
    pending = [contribute(ledger, "report", citizen, a_report(str(n))) for n in range(12)]

    def pay(number):
        return verify((ledger, other)[number % 2], pending[number], reviewer).coins

    with ThreadPoolExecutor(12) as pool:
        coins = sorted(pool.map(pay, range(12)), reverse=True)
    assert coins == [10, 10, 10, 10, 5] + [0] * 7
    assert ledger.wallet(citizen.participant_id).available(NOW.date()) == 45


def test_a_copied_track_earns_once_even_when_sent_at_once(open_ledger, ledger):
    """Two people send the very same fixes at the same moment: one is paid, one is told why not."""
    other, body = open_ledger(), a_walk(700, 1500, NOW)
    people = [someone(ledger), someone(ledger)]

    def send(number):
        return contribute((ledger, other)[number], "patrol", people[number], body)

    with ThreadPoolExecutor(2) as pool:
        receipts = sorted(pool.map(send, range(2)), key=lambda one: one.coins)
    assert [one.coins for one in receipts] == [0, 4]
    assert (receipts[0].state, receipts[0].reasons) == ("rejected", ("replayed_track",))


def test_nearly_the_same_track_earns_once_even_when_sent_at_once(open_ledger, ledger):
    """A copy with one fix moved by 10 cm is compared with what was sent in the same moment."""
    people, other = [someone(ledger) for _ in range(6)], open_ledger()
    walk = a_noisy_walk(NOW)

    def send(number):
        body = {**walk, "track": {**walk["track"]}}
        x, y = walk["track"]["coordinates"][-1]
        moved = [[x + number * 1e-6, y]]
        body["track"]["coordinates"] = walk["track"]["coordinates"][:-1] + moved
        return contribute((ledger, other)[number % 2], "patrol", people[number], body)

    with ThreadPoolExecutor(6) as pool:
        receipts = list(pool.map(send, range(6)))
    assert sorted(one.state for one in receipts) == ["rejected"] * 5 + ["valid"]


def test_junk_does_not_push_a_track_off_the_shelf(ledger):
    """Rejected tracks are no earlier tracks, however many somebody sends."""
    walk = a_noisy_walk(NOW)
    contribute(ledger, "patrol", someone(ledger), walk)
    copier = someone(ledger)
    for number in range(210):
        contribute(ledger, "patrol", copier, a_walk(50, 60, NOW, offset_m=number / 10))
    x, y = walk["track"]["coordinates"][0]
    walk["track"]["coordinates"][0] = [x + 1e-6, y]
    copy = contribute(ledger, "patrol", copier, walk)
    assert (copy.state, copy.reasons) == ("rejected", ("replayed_track",))


@pytest.mark.parametrize("state", ["verified", "refused"])
def test_a_contribution_is_decided_once(ledger, state):
    """Whoever comes second is told how it was decided; a repeated click gets the same receipt."""
    citizen, reviewer, submission = someone(ledger), someone(ledger, "dispatcher"), uuid4()
    report = contribute(ledger, "report", citizen, a_report())
    tier = 1 if state == "verified" else None

    def decide(submission_id, tier=tier):
        return ledger.review(
            BY_KIND["report"], reviewer, report.id, submission_id, NOW, tier=tier, reason="理由"
        )

    first = decide(submission)
    assert first.state == state
    assert decide(submission) == msgspec.structs.replace(first, replayed=True)
    with pytest.raises(AlreadyDecided):
        decide(uuid4())


def test_a_refusal_names_its_rule_and_seals_its_words(ledger):
    """The reason in words is for the contributor; the log holds the rule and a commitment."""
    citizen, reviewer = someone(ledger), someone(ledger, "dispatcher")
    report = contribute(ledger, "report", citizen, a_report())
    refused = ledger.review(
        BY_KIND["report"], reviewer, report.id, uuid4(), NOW, tier=None, reason="照片不清楚"
    )
    assert (refused.coins, refused.rule, refused.reasons) == (
        0, "report.review", ("refused_by_reviewer",),
    )  # fmt: skip
    state = ledger.contribution(BY_KIND["report"], report.id)
    assert ledger.vault.open(report.id, state.decided.sealed[0]) == "照片不清楚"
    assert not any("照片".encode() in row.state for row in ledger.rows())


def east_and_west(ledger) -> None:
    """A city of two counties."""
    tree = (("c", None, "city"), ("east", "c", "county"), ("west", "c", "county"))
    ledger.import_districts(
        [DistrictImported(code=c, name=c, parent=p, kind=k) for c, p, k in tree], NOW
    )


def test_nobody_reviews_their_own_and_nobody_out_of_their_district(ledger):
    """Self-review is refused; a contribution elsewhere is as good as not there."""
    east_and_west(ledger)
    citizen = someone(ledger, "citizen", "east")
    report = contribute(ledger, "report", citizen, a_report())
    ledger.issue_token("dispatcher", NOW, participant=citizen.participant_id)
    himself = msgspec.structs.replace(citizen, role="dispatcher", district=None)
    with pytest.raises(SelfReview):
        verify(ledger, report, himself)
    with pytest.raises(NotFound):
        verify(ledger, report, someone(ledger, "dispatcher", "west"))
    assert verify(ledger, report, someone(ledger, "dispatcher", "east")).coins == 10


def test_who_was_moved_gets_the_review_they_recorded(ledger):
    """Sent again from another place it is the first answer; anything new there is not there."""
    east_and_west(ledger)
    report = contribute(ledger, "report", someone(ledger, "citizen", "east"), a_report())
    reviewer, sent = someone(ledger, "dispatcher", "east"), uuid4()

    def review(place: str, tier: int = 1):
        who = msgspec.structs.replace(reviewer, district=place)
        return ledger.review(BY_KIND["report"], who, report.id, sent, NOW, tier=tier, reason="")

    first = review("east")
    assert (first.coins, first.replayed) == (10, False)
    assert review("west") == msgspec.structs.replace(first, replayed=True)
    with pytest.raises(SubmissionConflict):
        review("west", tier=2)
    with pytest.raises(NotFound):
        verify(ledger, report, msgspec.structs.replace(reviewer, district="west"))


def walk(change):
    body = a_walk(700, 1500, NOW)
    change(body["track"])
    return body


@pytest.mark.parametrize(
    ("body", "error", "code"),
    [
        (walk(lambda t: t["coordinates"].reverse()) | {"reach_id": "nowhere"}, UnknownReach, None),
        (walk(lambda t: t["coordinates"].append([112.1, 32.7])), InvalidInput, "length_mismatch"),
        (
            walk(lambda t: t.update(coordinates=[[y, x] for x, y in t["coordinates"]])),
            InvalidInput,
            "coordinates_swapped",
        ),
        (
            walk(lambda t: t.update(coordinates=[[x + 100, y] for x, y in t["coordinates"]])),
            InvalidInput,
            "out_of_range",
        ),
        (walk(lambda t: t["times"].reverse()), InvalidInput, "not_increasing"),
        (a_walk(700, 1500, NOW + timedelta(minutes=6)), FutureTime, "future_time"),
    ],
)
def test_bad_shapes_change_nothing(ledger, body, error, code):
    """A track that cannot be meant is refused field by field, and the log stays as it is."""
    citizen, head = someone(ledger), ledger.head()
    with pytest.raises(error) as caught:
        contribute(ledger, "patrol", citizen, body)
    if code:
        assert code in {one.code for one in caught.value.errors}
    assert ledger.head() == head


def test_a_wallet_of_many_facts_is_read_from_its_snapshot(ledger):
    """Past many facts a wallet starts from a snapshot and comes to the same balance."""
    citizen, reviewer = someone(ledger), someone(ledger, "dispatcher")
    for number in range(230):
        moment = NOW + timedelta(days=number // 4)
        receipt = contribute(ledger, "report", citizen, a_report(str(number)), moment)
        verify(ledger, receipt, reviewer, moment)
    account = wallet_id(citizen.participant_id)
    assert len(list(ledger.snapshots.get(account))) == 1
    now = ledger.wallet(citizen.participant_id)
    assert now.version == 230
    assert now == ledger.wallet_at(citizen.participant_id, ledger.head())


def test_open_states_are_those_a_reviewer_may_decide():
    """Only what waits can be decided; the words are those of the API."""
    assert frozenset({"pending", "review"}) == OPEN_STATES
