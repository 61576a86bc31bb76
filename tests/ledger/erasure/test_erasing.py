"""The saga: every step killed and resumed, nothing left behind it, and nothing coming back."""

from __future__ import annotations

from uuid import uuid4

import pytest

from ledger.erasure.errors import AlreadyErased, ErasureOpen, SubjectErased, UnknownSubject
from ledger.errors import Erased, NotFound
from ledger.facts import Sealed
from ledger.participants import Actor
from tests.ledger.examples import (
    NOW,
    a_report,
    an_offer,
    consent,
    contribute,
    redeem,
    rewarded,
    someone,
    verify,
)

STEPS = ["fenced", "access_ended", "destroyed", "scrubbed", "checked", "completed"]
NAME = "王小明-13800001234"


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def citizen(ledger) -> Actor:
    """Somebody registered with a name, with coins, an alias, words and a token."""
    registrar = someone(ledger, "registrar")
    found = ledger.register(
        registrar, uuid4(), "citizen", NOW, request={"name": NAME}, consents=("board", "track"),
        personal={"name": NAME, "phone": "13800001234", "alias": "青鱼"},
    )  # fmt: skip
    citizen = ledger.authenticate(found.token)
    report = contribute(ledger, "report", citizen, a_report(NAME))
    verify(ledger, report, someone(ledger, "handler"))
    consent(ledger, citizen.participant_id, True, "红鱼")
    return citizen


def erase(ledger, subject, told=lambda _: None):
    ledger.ask_erasure(None, subject, "consent_withdrawn", NOW)
    return ledger.run_erasure(subject, NOW, told)


def rows_of(ledger, subject) -> list:
    return ledger.store.select_of_subject(subject)


def test_it_leaves_neither_key_nor_rows_and_keeps_the_coins(ledger, citizen):
    """Everything sealed is gone and counted; wallet, history and their proofs stay as they are."""
    person, before = citizen.participant_id, ledger.wallet(citizen.participant_id)
    facts = [row for row in ledger.rows() if row.topic.startswith(("report", "wallet"))]
    kept = len(rows_of(ledger, person))
    steps: list[str] = []
    done = erase(ledger, person, steps.append)
    assert steps == STEPS
    assert (done.state, done.keys, done.rows, done.tokens) == ("completed", 1, kept, 1)
    assert kept == 5
    assert ledger.store.select_stored_key(person) is None
    assert rows_of(ledger, person) == []
    assert ledger.alias_of(person) is None
    assert ledger.wallet(person) == before
    assert [row for row in ledger.rows() if row.topic.startswith(("report", "wallet"))] == facts


@pytest.mark.parametrize("step", STEPS)
def test_killed_behind_any_step_it_is_resumed(step, ledger, citizen, open_ledger):
    """Another process goes on where the first was killed, and the counts are those of one run."""
    person, kept = citizen.participant_id, len(rows_of(ledger, citizen.participant_id))

    def told(done: str) -> None:
        if done == step:
            raise Killed

    with pytest.raises(Killed):
        erase(ledger, person, told)
    other = open_ledger()
    list(other.resume_erasures(NOW))
    state = other.erasure(person)
    assert (state.step, state.completed.keys, state.completed.rows) == ("completed", 1, kept)
    assert rows_of(other, person) == []
    assert list(other.resume_erasures(NOW)) == []


def test_a_token_ends_at_once_in_every_process(ledger, citizen, open_ledger):
    """Who was erased is nobody: a token another process knows included, and none is made anew."""
    other = open_ledger()
    token = other.issue_token("cleaner", NOW, participant=citizen.participant_id).token
    assert other.authenticate(token) is not None
    erase(ledger, citizen.participant_id)
    other._known.look_again()
    assert other.authenticate(token) is None
    assert ledger.authenticate(token) is None
    for one in (ledger, other):
        with pytest.raises(SubjectErased):
            one.issue_token("citizen", NOW, participant=citizen.participant_id)


def test_nothing_is_recorded_of_them_any_more(ledger, citizen):
    """No key is made, no row taken in and no command of theirs accepted behind the fence."""
    person = citizen.participant_id
    erase(ledger, person)
    head = ledger.head()
    with pytest.raises(SubjectErased):
        contribute(ledger, "report", citizen, a_report("again"))
    with pytest.raises(SubjectErased):
        consent(ledger, person, True, "again")
    with pytest.raises(SubjectErased):
        ledger.vault.seal(uuid4(), person, "name", NAME, NOW)
    ledger.vault.make_keys([person])
    assert ledger.store.select_stored_key(person) is None
    assert ledger.head() == head


def test_a_row_sealed_before_the_fence_is_refused_behind_it(ledger, citizen, monkeypatch):
    """A command that sealed words while the fence was set saves nothing, and makes no key."""
    person, store = citizen.participant_id, ledger.store
    append, fenced = ledger.append, []

    def late(*args, **options):
        if options.get("vault_rows") and not fenced:
            fenced.append(True)
            monkeypatch.setattr(ledger, "append", append)
            erase(ledger, person)
        return append(*args, **options)

    monkeypatch.setattr(ledger, "append", late)
    with pytest.raises(SubjectErased):
        contribute(ledger, "report", citizen, a_report("late"))
    assert fenced
    assert (rows_of(ledger, person), store.select_stored_key(person)) == ([], None)


def test_a_consent_decided_at_the_same_moment_is_not_given_after_all(
    ledger, citizen, monkeypatch
):
    """Of one who was erased meanwhile the command, tried again, records nothing."""
    person, append, erased = citizen.participant_id, ledger.append, []

    def late(*args, **options):
        if not erased:
            erased.append(True)
            erase(ledger, person)
        return append(*args, **options)

    monkeypatch.setattr(ledger, "append", late)
    with pytest.raises(SubjectErased):
        consent(ledger, person, True)
    assert ledger.participant(person).consents == set()


def test_what_others_decide_about_them_goes_on(ledger, citizen):
    """What waits is decided and paid; words of refusal are left out instead of being kept."""
    dispatcher, person = someone(ledger, "dispatcher"), citizen.participant_id
    waits = [contribute(ledger, "report", citizen, a_report(str(number))) for number in range(2)]
    before = ledger.wallet(person).available(NOW.date())
    erase(ledger, person)
    assert verify(ledger, waits[0], dispatcher).coins == 10
    from ledger.contributions import REPORT

    ledger.review(REPORT, dispatcher, waits[1].id, uuid4(), NOW, tier=None, reason=NAME)
    refused = [row for row in ledger.rows() if row.topic == "contribution.refused"]
    assert ledger.entry(refused[0]).fact.sealed == ()
    assert ledger.wallet(person).available(NOW.date()) == before + 10
    assert rows_of(ledger, person) == []


def test_a_hold_of_coins_ends_by_itself(ledger):
    """Coins held for a redemption nobody can collect any more come back when it lapses."""
    person, merchant = rewarded(ledger, 30), someone(ledger, "merchant")
    order = redeem(ledger, person, an_offer(ledger, merchant))
    erase(ledger, person.participant_id)
    deadline = ledger.redemption(order.id).deadline
    assert ledger.lapse(order.id, NOW, deadline.replace(year=deadline.year + 1)).state == "lapsed"
    assert ledger.wallet(person.participant_id).available(NOW.date()) == 30


def test_it_happens_once(ledger, citizen):
    """A second request is refused while one is open and once it is done; nobody is not found."""
    person = citizen.participant_id
    ledger.ask_erasure(None, person, "other", NOW)
    with pytest.raises(ErasureOpen):
        ledger.ask_erasure(None, person, "other", NOW)
    ledger.run_erasure(person, NOW)
    with pytest.raises(AlreadyErased):
        ledger.ask_erasure(None, person, "other", NOW)
    with pytest.raises(UnknownSubject):
        ledger.ask_erasure(None, uuid4(), "other", NOW)
    with pytest.raises(NotFound):
        ledger.erasure_of(person)


def test_an_office_given_at_the_same_moment_counts(ledger, citizen, monkeypatch):
    """Whether a second person decides is judged by the roles held when the request is recorded."""
    person, append, granted = citizen.participant_id, ledger.append, []

    def late(*args, **options):
        if not granted:
            granted.append(True)
            ledger.issue_token("merchant", NOW, participant=person)
        return append(*args, **options)

    monkeypatch.setattr(ledger, "append", late)
    asked = ledger.ask_erasure(None, person, "other", NOW)
    assert ledger.run_erasure(person, NOW).state == asked.state == "requested"
    assert ledger.erasure(person).requested.staff


def test_of_one_who_had_no_key_yet_the_key_is_known_too(ledger):
    """Whoever never sealed anything gets a key that is destroyed, so that no other can be made."""
    person = someone(ledger).participant_id
    assert ledger.store.select_stored_key(person) is None
    done = erase(ledger, person)
    ((_, fence),) = ledger.erasure(person).fences
    assert (done.keys, done.rows, len(fence.prints)) == (1, 0, 2)


def test_who_comes_back_is_somebody_else(ledger, citizen):
    """The same submission is refused, for its participant is gone; a new one is a new person."""
    registrar, sent = someone(ledger, "registrar"), uuid4()
    request = {"name": NAME}
    first = ledger.register(registrar, sent, "citizen", NOW, request=request, personal=request)
    erase(ledger, first.participant_id)
    with pytest.raises(SubjectErased):
        ledger.register(registrar, sent, "citizen", NOW, request=request, personal=request)
    second = ledger.register(registrar, uuid4(), "citizen", NOW, request=request, personal=request)
    assert second.participant_id != first.participant_id
    assert ledger.authenticate(second.token) is not None


def test_a_restored_key_table_is_emptied_again(ledger, citizen, open_ledger):
    """Keys and rows put back from an old copy open nothing, and are gone before anybody asks."""
    person = citizen.participant_id
    key, rows = ledger.store.select_stored_key(person), rows_of(ledger, person)
    erase(ledger, person)
    restore(ledger, person, key, rows)
    sealed = Sealed(field=rows[0].field, subject=person, digest="")
    with pytest.raises(Erased):
        ledger.vault.open(rows[0].originator_id, sealed)
    assert open_ledger().forget_again() == [person]
    assert (rows_of(ledger, person), ledger.store.select_stored_key(person)) == ([], None)
    assert ledger.forget_again() == []


def test_without_its_fences_the_log_still_knows(ledger, citizen):
    """All tables of the vault put back, fences and all: the facts set the fences again."""
    person = citizen.participant_id
    key, rows = ledger.store.select_stored_key(person), rows_of(ledger, person)
    erase(ledger, person)
    ledger.store.write([("DELETE FROM vault_fences", [[]])])
    restore(ledger, person, key, rows)
    assert ledger.forget_again() == [person]
    assert (rows_of(ledger, person), ledger.store.is_fenced(person)) == ([], True)


def restore(ledger, person, key, rows) -> None:
    """As somebody does who copies rows of an old backup into the tables."""
    store = ledger.store
    store.write([
        ("INSERT INTO vault_keys VALUES (?, ?)", [[store.key(person), key]]),
        ("INSERT INTO vault VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [
            [store.key(row.originator_id), row.field, store.key(person), row.shelf,
             row.fingerprint, row.stored_at, row.nonce, row.ciphertext, row.position]
            for row in rows
        ]),
    ])  # fmt: skip
