"""Photos of contributions: sent in one by one, and looked at by who may."""

from __future__ import annotations

from random import Random
from uuid import uuid4

import pytest

from ledger import identity
from ledger.campaigns.errors import EarlierItemMissing
from ledger.commands import signature
from ledger.contributions.evidence import PHOTOS_MAX, Photo
from ledger.errors import NotFound
from ledger.photos import PhotosBody
from tests.api.album import JPEG, KINDS, REVIEWERS, Album, a_photo, digest, refusal
from tests.api.campaigning import Campaigning, made, statuses
from tests.api.openrosa.test_submission import PHOTOS
from tests.ledger.examples import NOW

MIB = 1024 * 1024
one_database = pytest.mark.parametrize("environ", ["sqlite"], indirect=True)


@pytest.fixture
def album(services, caller, app) -> Album:
    return Album(services, caller, app.test_client())


@pytest.fixture
def campaign(services, caller) -> Campaigning:
    return Campaigning(services, caller)


@pytest.mark.parametrize("kind", KINDS)
def test_a_photo_of_every_kind_of_contribution_is_kept_once(kind, album, services):
    """201 first, then 200 with the first answer; its owner sees the bytes that were sent."""
    who, cause = album.contribution(kind)
    assert album.named(who, cause) == []
    first = album.put(who, cause, JPEG)
    assert (first.status_code, first.headers.get("Idempotent-Replay")) == (201, None)
    assert first.json == {
        "id": cause, "sha256": digest(JPEG), "media_type": "image/jpeg",
        "position": services.ledger.head(),
    }  # fmt: skip
    album.put(who, cause, a_photo(1))
    again = album.put(who, cause, JPEG)
    assert (again.status_code, again.headers["Idempotent-Replay"]) == (200, "true")
    assert again.json == first.json
    both = [digest(JPEG), digest(a_photo(1))]
    assert album.named(who, cause) == [(one, True, False) for one in both]
    assert album.get(who, cause, digest(JPEG)).data == JPEG
    assert album.get(who, cause, digest(a_photo(1))).data == a_photo(1)
    assert [one.photos for one in album.facts()] == [(one,) for one in both]
    assert album.findings() == []


def test_what_was_named_is_still_to_be_sent_until_it_came(album, campaign):
    """Named when it was recorded or by a parcel: listed as not kept, then kept, named once."""
    first, later, unnamed = (a_photo(number) for number in range(3))
    visit = campaign.item(1, **campaign.visit(photos=[digest(first)]))
    own, worker = visit["body"]["submission_id"], campaign.worker
    named = campaign.item(2, "photos", of=own, photos=[digest(later)])
    answer = campaign.sync(visit, named)
    assert statuses(answer) == ["created"] * 2
    cause = answer.json["results"][0]["id"]
    waiting = [(digest(one), False, False) for one in (first, later)]
    assert album.named(worker, cause) == waiting
    assert refusal(album.get(worker, cause, digest(later))) == (404, "photo_not_kept")
    assert album.put(worker, cause, later).status_code == 201
    assert album.named(worker, cause) == [waiting[0], (digest(later), True, False)]
    assert album.put(worker, cause, first).status_code == 201
    assert album.put(worker, cause, unnamed).status_code == 201
    after = campaign.item(3, "photos", of=own, photos=[digest(unnamed)])
    assert statuses(campaign.sync(after, named)) == ["created", "replayed"]
    kept = [(digest(one), True, False) for one in (first, later, unnamed)]
    assert album.named(worker, cause) == kept
    assert album.get(worker, cause, digest(unnamed)).data == unnamed
    assert sorted(album.rows(cause)) == sorted(one for one, _, _ in kept)
    assert album.findings() == []


@one_database
@pytest.mark.parametrize("kind", PHOTOS)
def test_a_photo_is_shown_as_what_it_is_and_kept_by_nobody(kind, album):
    """Its type is told by its first bytes; no cache keeps it, no browser takes it for a page."""
    who, cause = album.contribution("report")
    content = PHOTOS[kind]
    sent = album.put(who, cause, content, **{"Content-Type": "text/html"})
    assert sent.json["media_type"] == f"image/{kind}"
    answer = album.get(who, cause, digest(content))
    assert answer.data == content
    told = {name: answer.headers.getlist(name) for name in (
        "Content-Type", "Cache-Control", "Content-Disposition", "X-Content-Type-Options",
        "Content-Security-Policy",
    )}  # fmt: skip
    assert told == {
        "Content-Type": [f"image/{kind}"], "Cache-Control": ["private, no-store"],
        "Content-Disposition": [f'inline; filename="{digest(content)}.{kind}"'],
        "X-Content-Type-Options": ["nosniff"],
        "Content-Security-Policy": ["default-src 'none'; frame-ancestors 'none'"],
    }  # fmt: skip


@one_database
@pytest.mark.parametrize("said", [
    "application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "",
])  # fmt: skip
def test_what_a_phone_says_of_the_type_is_not_believed(said, album):
    """The bytes are the body, whatever it is said to be, also where they could be read as a form.
    """
    who, cause = album.contribution("report")
    content = JPEG + b"&a=b\r\n--x\r\n"
    assert album.put(who, cause, content, **{"Content-Type": said}).status_code == 201
    assert album.get(who, cause, digest(content)).data == content


@one_database
@pytest.mark.parametrize(("content", "name", "headers", "expected"), [
    (JPEG, digest(JPEG + b"lost"), {}, (422, "digest_mismatch")),
    (JPEG, digest(JPEG).upper(), {}, (422, "digest_mismatch")),
    (JPEG, "photo.jpg", {}, (422, "digest_mismatch")),
    (b"", digest(JPEG), {}, (422, "digest_mismatch")),
    (b"", digest(b""), {}, (422, "not_a_photo")),
    (b"GIF89a", None, {}, (422, "not_a_photo")),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None, {}, (422, "not_a_photo")),
    (JPEG, None, {"Content-Encoding": "gzip"}, (415, "unsupported_encoding")),
    (JPEG + b"x" * 2 * MIB, None, {}, (413, "body_too_large")),
], ids=range(9))  # fmt: skip
def test_what_is_no_photo_of_this_digest_is_refused(content, name, headers, expected, album):
    """Each has its code and a sentence in both languages; nothing is recorded."""
    who, cause = album.contribution("report")
    head = album.services.ledger.head()
    answer = album.put(who, cause, content, name, **headers)
    assert refusal(answer) == expected
    assert answer.json["zh"]
    assert answer.json["en"]
    assert (album.services.ledger.head(), album.rows(cause)) == (head, [])


def test_a_photo_of_two_mebibytes_is_taken(album):
    """As large as any body may be, and as little to be made smaller as a real one."""
    who, cause = album.contribution("report")
    large = JPEG + Random(1).randbytes(2 * MIB - len(JPEG))
    assert album.put(who, cause, large).status_code == 201
    assert album.get(who, cause, digest(large)).data == large


@pytest.mark.parametrize("kind", KINDS)
def test_reviewers_of_the_place_look_at_it_and_nobody_else(kind, album, caller):
    """Those who review this kind in its district; an auditor, an admin or a neighbour does not."""
    who, cause = album.contribution(kind)
    album.put(who, cause, JPEG)
    roles = ("dispatcher", "reward_officer", "handler", "auditor", "admin", "citizen")
    lookers = {(role, place): caller(role, place)
               for role in roles for place in ("110", "100", None, "120")}  # fmt: skip
    seen = {
        key for key, one in lookers.items() if album.get(one, cause, digest(JPEG)).data == JPEG
    }
    assert seen == {(role, place) for role in REVIEWERS[kind] for place in ("110", "100", None)}
    for key in lookers.keys() - seen:
        path = f"/v1/contributions/{cause}/photos"
        assert refusal(album.get(lookers[key], cause, digest(JPEG))) == (404, "not_found"), key
        assert refusal(album.get(lookers[key], cause, digest(b""))) == (404, "not_found"), key
        assert refusal(lookers[key].get(path)) == (404, "not_found"), key
    assert album.named(lookers[min(seen, key=str)], cause) == [(digest(JPEG), True, False)]


def test_another_visitor_looks_and_only_the_owner_sends(album, campaign, caller):
    """Who came along sees the photos of a visit; to add one is for whose visit it is."""
    along = caller("grid_worker", "112")
    visit = made(campaign.worker, campaign.visit(visitors=[str(along.id)]))
    album.put(campaign.worker, visit, JPEG)
    assert album.get(along, visit, digest(JPEG)).data == JPEG
    assert album.get(campaign.other, visit, digest(JPEG)).status_code == 404
    for one in (along, campaign.other, caller("grid_worker", "111"), caller()):
        for content in (JPEG, a_photo(1)):
            assert refusal(album.put(one, visit, content)) == (404, "not_found")
    assert refusal(album.put(campaign.dispatcher, visit, a_photo(1))) == (403, "forbidden")
    assert (album.rows(visit), len(album.facts())) == ([digest(JPEG)], 1)


def test_what_is_no_contribution_has_no_photos(album, caller):
    """An id of nothing, of a person or of a register is not found, whatever is asked of it."""
    who = caller()
    head = album.services.ledger.head()
    for one in (uuid4(), who.id, identity.RIVERS, identity.wallet_id(who.id)):
        assert refusal(album.put(who, one, JPEG)) == (404, "not_found")
        assert refusal(album.get(who, one, digest(JPEG))) == (404, "not_found")
        assert refusal(who.get(f"/v1/contributions/{one}/photos")) == (404, "not_found")
    assert album.services.ledger.head() == head
    _, cause = album.contribution("report", who)
    assert refusal(album.get(who, cause, digest(JPEG))) == (404, "not_found")


@one_database
def test_a_contribution_names_so_many_photos_and_no_more(album):
    """Those it was recorded with count; the photo of a digest that is named needs no more room."""
    photos = [a_photo(number) for number in range(PHOTOS_MAX + 1)]
    named = [digest(one) for one in photos[:PHOTOS_MAX]]
    who, cause = album.contribution("patrol", photos=named[:15])
    for one in photos[15:PHOTOS_MAX]:
        assert album.put(who, cause, one).status_code == 201
    more = album.put(who, cause, photos[-1])
    assert (more.status_code, more.json["errors"][0]["code"]) == (422, "too_long")
    assert str(PHOTOS_MAX) in more.json["errors"][0]["zh"]
    for one in photos[:15]:
        assert album.put(who, cause, one).status_code == 201
    assert album.named(who, cause) == [(one, True, False) for one in named]
    item = {"kind": "photos", "body": {"submission_id": str(uuid4()), "of": cause,
            "of_kind": "patrol", "photos": [digest(photos[-1])]}}  # fmt: skip
    sent = {"device_id": "d1", "sent_at": album.services.clock().isoformat(), "items": [item]}
    (result,) = who.post("/v1/sync", sent).json["results"]
    assert (result["status"], result["errors"][0]["code"]) == ("invalid", "too_long")


def test_a_withdrawn_visit_gets_no_more_photos(album, campaign):
    """A new one is refused; one that came before is told as it was, and can still be seen."""
    worker = campaign.worker
    visit = made(worker, campaign.visit())
    first = album.put(worker, visit, JPEG)
    assert worker.submit(f"/v1/visits/{visit}/withdraw", {}).status_code == 201
    assert refusal(album.put(worker, visit, a_photo(1))) == (410, "visit_withdrawn")
    again = album.put(worker, visit, JPEG)
    assert (again.status_code, again.json) == (200, first.json)
    assert album.rows(visit) == [digest(JPEG)]
    assert album.get(worker, visit, digest(JPEG)).data == JPEG
    assert album.findings() == []


def test_bytes_are_documented_as_bytes(app):
    """The body and the answer have the media types of photos and no schema that they are not."""
    paths = app.test_client().get("/openapi.json").json["paths"]
    photo = paths["/v1/contributions/{id}/photos/{sha256}"]
    kinds = {f"image/{kind}" for kind in PHOTOS}
    body = photo["put"]["requestBody"]
    assert (set(body["content"]), body["required"]) == (kinds, True)
    answer = photo["get"]["responses"]["200"]["content"]
    assert set(answer) == kinds
    told = [*body["content"].values(), *answer.values()]
    assert [one for one in told if one.get("schema")] == []
    assert set(photo["put"]["responses"]["201"]["content"]) == {"application/json"}


def test_a_photo_comes_early_only_for_what_may_still_come(album, services):
    """One rule for photos and for their digests: wait where there is nothing, else not found."""
    who = album.caller("citizen")
    actor = services.ledger.authenticate(who.token)
    body, photo = PhotosBody(photos=(digest(JPEG),)), Photo("image/jpeg", JPEG)
    for cause, refused in ((uuid4(), EarlierItemMissing), (who.id, NotFound)):
        signed = signature(services.ledger.vault, who.id, "photos", uuid4(), {})
        with pytest.raises(refused):
            services.ledger.add_photos_once(signed, actor, cause, body, NOW)
        with pytest.raises(refused):
            services.ledger.keep_photos(actor, cause, [photo], NOW)
