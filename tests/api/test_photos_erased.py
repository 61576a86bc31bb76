"""Photos of contributions that are erased: with their owner, with a household, or taken away."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.api.album import JPEG, Album, a_photo, digest, refusal
from tests.api.campaigning import Campaigning, made


@pytest.fixture
def album(services, caller, app) -> Album:
    return Album(services, caller, app.test_client())


@pytest.fixture
def campaign(services, caller) -> Campaigning:
    return Campaigning(services, caller)


def test_photos_are_erased_with_their_owner(album, caller):
    """Their row is counted and gone; whoever may look is told which was erased, which never came.
    """
    who, cause = album.contribution("report", photos=[digest(a_photo(1))])
    handler = caller("handler", "110")
    album.put(who, cause, JPEG)
    done = who.submit("/v1/me/erasure", {"confirm": "erase"})
    assert (done.status_code, done.json["photos"]) == (201, 1)
    assert album.rows(cause) == []
    assert refusal(album.put(who, cause, a_photo(1))) == (401, "unauthenticated")
    assert album.named(handler, cause) == [
        (digest(a_photo(1)), False, False), (digest(JPEG), False, True)
    ]  # fmt: skip
    assert refusal(album.get(handler, cause, digest(JPEG))) == (404, "photo_erased")
    assert refusal(album.get(handler, cause, digest(a_photo(1)))) == (404, "photo_not_kept")
    assert album.findings() == []


def test_photos_that_a_hold_keeps_are_seen_by_nobody(album, caller):
    """Kept for the law under a new key: for whoever looks they are as gone as the rest."""
    who, cause = album.contribution("report")
    album.put(who, cause, JPEG)
    held = {"subject": str(who.id), "basis": "litigation", "fields": ["photo"]}
    assert caller("approver").submit("/v1/holds", held).status_code == 201
    who.submit("/v1/me/erasure", {"confirm": "erase"})
    assert album.rows(cause) == [digest(JPEG)]
    handler = caller("handler", "110")
    assert album.named(handler, cause) == [(digest(JPEG), False, True)]
    assert refusal(album.get(handler, cause, digest(JPEG))) == (404, "photo_erased")


def test_photos_of_a_visit_are_erased_with_its_household(album, campaign):
    """What the visit kept goes and none comes after; the phone need not keep those it sent."""
    worker, ledger = campaign.worker, album.services.ledger
    visit, other = (made(worker, campaign.visit(one)) for one in ("A0", "A1"))
    first = album.put(worker, visit, JPEG)
    album.put(worker, other, JPEG)
    registrar, approver = album.caller("registrar"), album.caller("approver")
    asked = registrar.submit("/v1/erasures", {"household": "A0"}).json
    done = approver.submit(f"/v1/erasures/{asked['id']}/approve", {}).json
    assert (done["state"], done["photos"]) == ("completed", 1)
    words = worker.submit(f"/v1/visits/{visit}/edit", {"replaces": 1, "remark": "后来补记"})
    assert words.status_code == 201  # The worker's own words of later stay, and open.
    assert album.named(worker, visit) == [(digest(JPEG), False, True)]
    again = album.put(worker, visit, JPEG)
    assert (again.status_code, again.json) == (200, first.json)
    assert refusal(album.put(worker, visit, a_photo(1))) == (410, "subject_erased")
    assert album.rows(visit) == []
    assert album.get(worker, other, digest(JPEG)).data == JPEG
    later = made(worker, campaign.visit("A0"))
    assert album.put(worker, later, a_photo(2)).status_code == 201
    assert ledger.forget_again() == []
    assert album.rows(UUID(later)) == [digest(a_photo(2))]
    assert album.findings() == []


def test_a_photo_whose_row_was_taken_away_is_not_told_as_kept(album):
    """What is listed is what can be seen, also where somebody had the database; the audit says so.
    """
    who, cause = album.contribution("report")
    album.put(who, cause, JPEG)
    store = album.services.ledger.store
    store.write([("DELETE FROM vault WHERE field = ?", [[f"photo/{digest(JPEG)}"]])])
    assert album.named(who, cause) == [(digest(JPEG), False, True)]
    assert refusal(album.get(who, cause, digest(JPEG))) == (404, "photo_erased")
    assert [one.code for one in album.findings()] == ["VAULT"]
