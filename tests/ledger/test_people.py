"""People: registered once, known by a token that ends at once, in a role within a district."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from ledger.access import EVERYBODY, RIGHTS, allowed, owns_or_audits, reviews, within
from ledger.districts import DistrictImported
from ledger.errors import Forbidden, InvalidInput, NotFound, SubmissionConflict, UnknownDistrict
from ledger.known_tokens import LOOKED_AT_SECONDS_MAX, KnownTokens
from ledger.participants import ROLES, Actor
from tests.ledger.examples import NOW, consent, someone


def register(ledger, registrar, submission, **changes):
    request = {"role": "citizen", "name": "王", **changes}
    return ledger.register(
        registrar, submission, "citizen", NOW, request=request,
        consents=("track", "board"), personal={"name": request["name"], "alias": "翠鸟"},
    )  # fmt: skip


def test_a_registration_can_be_repeated(ledger):
    """The same submission gives the same participant and the same token, and no new fact."""
    registrar, submission = someone(ledger, "registrar"), uuid4()
    first = register(ledger, registrar, submission)
    head = ledger.head()
    again = register(ledger, registrar, submission)
    assert (again.participant_id, again.token, again.position) == (
        first.participant_id, first.token, first.position,
    )  # fmt: skip
    assert again.replayed
    assert ledger.head() == head
    with pytest.raises(SubmissionConflict):
        register(ledger, registrar, submission, name="李")


def test_a_registrar_gives_no_office_and_stays_in_their_district(ledger):
    """Offices that check others are an administrator's to give; a district's bounds hold."""
    districts = [
        DistrictImported(code="c", name="市", parent=None, kind="city"),
        DistrictImported(code="east", name="东", parent="c", kind="county"),
        DistrictImported(code="west", name="西", parent="c", kind="county"),
    ]
    ledger.import_districts(districts, NOW)
    registrar = someone(ledger, "registrar", "east")
    for role, district in (("dispatcher", "east"), ("admin", None), ("citizen", "west")):
        with pytest.raises(Forbidden):
            ledger.register(registrar, uuid4(), role, NOW, request={}, district=district)
    ledger.register(registrar, uuid4(), "citizen", NOW, request={}, district="east")
    circle = [DistrictImported(code="c", name="市", parent="east", kind="city")]
    with pytest.raises(InvalidInput):
        ledger.import_districts(circle, NOW)


def test_staff_belong_to_an_enterprise_that_is_registered(ledger):
    """Somebody who is no enterprise has no staff."""
    registrar = someone(ledger, "registrar")
    firm, citizen = (
        ledger.register(registrar, uuid4(), role, NOW, request={}).participant_id
        for role in ("enterprise", "citizen")
    )
    staff = ledger.register(registrar, uuid4(), "enterprise", NOW, request={}, employer=firm)
    assert ledger.participant(staff.participant_id).registered.employer == firm
    for nobody in (citizen, uuid4()):
        with pytest.raises(InvalidInput):
            ledger.register(registrar, uuid4(), "enterprise", NOW, request={}, employer=nobody)


def test_a_token_says_who_and_its_hash_is_all_that_is_stored(ledger):
    """The bearer is found by the hash; the token itself is nowhere in the log."""
    made = ledger.issue_token("grid_worker", NOW)
    actor = ledger.authenticate(made.token)
    assert actor == Actor(made.participant_id, "grid_worker", None)
    assert not any(made.token.encode() in row.state for row in ledger.rows())
    assert ledger.authenticate(made.token + "x") is None
    assert ledger.authenticate("") is None


def test_a_revoked_token_ends_for_every_process(open_ledger, ledger):
    """A ledger that knows the bearer already refuses them 20 ms later; twice is harmless."""
    token, other = ledger.issue_token("citizen", NOW).token, open_ledger()
    assert other.authenticate(token) is not None
    ledger.revoke_token(token, NOW)
    ledger.revoke_token(token, NOW)
    time.sleep(LOOKED_AT_SECONDS_MAX)
    assert other.authenticate(token) is None
    assert open_ledger().authenticate(token) is None
    with pytest.raises(NotFound):
        ledger.revoke_token("never issued", NOW)


def test_a_token_of_the_first_hour_can_be_revoked(open_ledger):
    """Also a ledger that first looked at an empty log hears of a revocation."""
    ledger, other = open_ledger(), open_ledger()
    assert other.authenticate("nobody") is None
    token = ledger.issue_token("citizen", NOW).token
    assert other.authenticate(token) is not None
    ledger.revoke_token(token, NOW)
    time.sleep(LOOKED_AT_SECONDS_MAX)
    assert other.authenticate(token) is None


def test_a_look_up_cannot_outlive_a_revocation_it_did_not_see():
    """A bearer found before the log moved on is not remembered as if found after."""
    token, actor, moved = uuid4(), Actor(uuid4(), "citizen"), iter([(set(), 7), (set(), 9)])
    known = KnownTokens(lambda position: next(moved))
    assert known.get("digest") is None
    known.put(token, "digest", actor, seen=7)
    assert known.get("digest") == actor
    time.sleep(LOOKED_AT_SECONDS_MAX)
    known.get("digest")
    known.put(uuid4(), "late", actor, seen=7)
    assert known.get("late") is None


def test_a_role_given_again_does_not_revive_old_tokens(ledger):
    """Whoever gets the role back needs a new token."""
    person = ledger.issue_token("citizen", NOW).participant_id
    old = ledger.issue_token("dispatcher", NOW, participant=person)
    ledger.revoke_role(person, "dispatcher", "left", NOW)
    new = ledger.issue_token("dispatcher", NOW, participant=person)
    assert ledger.authenticate(old.token) is None
    assert ledger.authenticate(new.token) is not None


def test_a_token_is_not_issued_past_a_revocation(open_ledger, ledger, monkeypatch):
    """Between the look at the roles and the commit the role is taken away: it is asked again."""
    person = ledger.issue_token("dispatcher", NOW).participant_id
    other, append = open_ledger(), ledger.append

    def revoked_meanwhile(*arguments, **guards):
        monkeypatch.undo()
        other.revoke_role(person, "dispatcher", "left", NOW)
        return append(*arguments, **guards)

    monkeypatch.setattr(ledger, "append", revoked_meanwhile)
    ledger.issue_token("dispatcher", NOW, participant=person)
    topics = [entry.fact.topic for entry in ledger.entries()][-3:]
    assert topics == ["participant.role-revoked", "participant.role-granted", "token.issued"]


def test_a_revoked_role_ends_its_tokens_and_no_others(open_ledger, ledger):
    """Taking a role away ends what was issued for it, not the person's other roles."""
    person = ledger.issue_token("citizen", NOW)
    officer = ledger.issue_token("dispatcher", NOW, participant=person.participant_id)
    assert ledger.authenticate(officer.token) is not None
    other = open_ledger()
    assert other.authenticate(officer.token) is not None
    ledger.revoke_role(person.participant_id, "dispatcher", "left", NOW)
    assert ledger.authenticate(officer.token) is None
    assert ledger.authenticate(person.token) is not None
    time.sleep(LOOKED_AT_SECONDS_MAX)
    assert other.authenticate(officer.token) is None
    with pytest.raises(NotFound):
        ledger.revoke_role(person.participant_id, "dispatcher", "left", NOW)


def test_a_token_for_nobody_is_refused(ledger):
    """A mistyped participant does not become a new one."""
    with pytest.raises(NotFound):
        ledger.issue_token("citizen", NOW, participant=uuid4())


def test_districts_are_required_only_where_there_are_any(ledger):
    """Without a list of districts any code will do; with one, only those on it."""
    ledger.issue_token("citizen", NOW, district="anything")
    ledger.import_districts(
        [DistrictImported(code="c", name="市", parent=None, kind="city")], NOW
    )
    with pytest.raises(UnknownDistrict):
        ledger.issue_token("citizen", NOW, district="anything")
    with pytest.raises(UnknownDistrict):
        ledger.import_districts(
            [DistrictImported(code="x", name="镇", parent="gone", kind="town")], NOW
        )
    assert ledger.districts.current().path("c") == ("c",)


def test_a_district_code_is_a_plain_word(ledger):
    """Control characters and separators of the stores never get into a place's code."""
    for code in ("a\x00b", "a b", "", "x" * 41, "a\n"):
        with pytest.raises(InvalidInput):
            ledger.issue_token("citizen", NOW, district=code)
        district = DistrictImported(code=code, name="市", parent=None, kind="city")
        with pytest.raises(InvalidInput):
            ledger.import_districts([district], NOW)


def test_consent_is_as_easily_withdrawn_as_given(ledger):
    """Each change is one fact, and a new alias comes with a new consent."""
    person = someone(ledger).participant_id
    consent(ledger, person, True, "白鹭")
    assert ledger.alias_of(person) == "白鹭"
    consent(ledger, person, False)
    assert ledger.participant(person).consents == set()
    consent(ledger, person, True, "苍鹭")
    assert ledger.alias_of(person) == "苍鹭"


def test_a_late_retry_of_a_consent_undoes_nothing(ledger):
    """What was sent in before is answered as before, whatever was said since."""
    person, sent = someone(ledger).participant_id, uuid4()
    first = consent(ledger, person, True, "白鹭", sent)
    consent(ledger, person, False)
    assert consent(ledger, person, True, "白鹭", sent) == (first[0], True)
    assert ledger.participant(person).consents == set()
    with pytest.raises(SubmissionConflict):
        consent(ledger, person, False, None, sent)


def test_access_is_denied_by_default():
    """An unknown right is nobody's; every right names real roles; objects are their owner's."""
    me, auditor = Actor(uuid4(), "citizen"), Actor(uuid4(), "auditor")
    assert not any(allowed(Actor(uuid4(), role), "no.such.right") for role in ROLES)
    assert set().union(*RIGHTS.values()) <= set(ROLES)
    assert "open311" not in EVERYBODY
    assert owns_or_audits(me, me.participant_id)
    assert owns_or_audits(auditor, me.participant_id)
    assert not owns_or_audits(me, auditor.participant_id)
    judge = Actor(uuid4(), "dispatcher", "east")
    assert within(judge, ("grid", "east", "c"))
    assert not within(judge, ("west", "c"))
    assert not within(judge, ())
    assert not reviews(me, frozenset({"dispatcher"}), ())
