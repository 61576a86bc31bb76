"""Photos that come at once, from several processes, and while what they are of is erased."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.app import create_app
from api.config import Settings
from api.services import open_services
from ledger.campaigns.frame import household_subject
from tests.api.album import JPEG, Album, a_photo, digest, refusal
from tests.api.campaigning import Campaigning, made


@pytest.fixture
def album(services, caller, app) -> Album:
    return Album(services, caller, app.test_client())


@pytest.fixture
def meanwhile(album, monkeypatch) -> Callable[[Callable[[], object]], None]:
    """``meanwhile(happens)``: once, after the next photo is sealed and before it is saved."""

    def arrange(happens: Callable[[], object]) -> None:
        vault, seal, left = album.services.ledger.vault, album.services.ledger.vault.seal, [happens]

        def late(*args, **options):
            found = seal(*args, **options)
            if left and args[2].startswith("photo/"):
                with ThreadPoolExecutor(1) as elsewhere:  # A request of its own, not within this.
                    elsewhere.submit(left.pop()).result(timeout=60)
            return found

        monkeypatch.setattr(vault, "seal", late)

    return arrange


def send(url: str, token: str, content: bytes) -> tuple[int, str | None, dict]:
    """A phone of its own connection, asking a served service."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "image/jpeg"}
    asked = urllib.request.Request(f"{url}/{digest(content)}", content, headers, method="PUT")
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, answer.headers["Idempotent-Replay"], json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, None, json.load(refused)


def test_photos_sent_at_once_through_two_workers_are_kept_once_each(album, environ, serve):
    """Three photos four times each, all at once: a 201 and three replays of it for every photo."""
    who, cause = album.contribution("report", photos=[digest(a_photo(0))])
    photos = [a_photo(number) for number in range(3)] * 4
    with serve(environ, GWC_WORKERS="2") as server, ThreadPoolExecutor(len(photos)) as pool:
        url = f"{server.url}/v1/contributions/{cause}/photos"
        answers = list(pool.map(lambda one: send(url, who.token, one), photos))
    for number in range(3):
        each = answers[number::3]
        assert sorted(status for status, _, _ in each) == [200, 200, 200, 201], each
        assert {replay for status, replay, _ in each if status == 200} == {"true"}
        assert len({json.dumps(told, sort_keys=True) for _, _, told in each}) == 1
    wanted = sorted(map(digest, photos[:3]))
    assert sorted(one for fact in album.facts() for one in fact.photos) == wanted
    assert album.rows(cause) == wanted
    assert album.findings() == []


@pytest.fixture
def other(environ, services, caller):
    """The same service once more, as in another process: an album of its own connections."""
    opened = open_services(Settings.from_env(environ))
    yield Album(opened, caller, create_app(opened).test_client())
    opened.close()


def test_the_same_photo_from_elsewhere_meanwhile_is_one_fact(album, other, meanwhile):
    """Whoever sealed it and was outrun tells what the other one saved; there is one row."""
    who, cause = album.contribution("report")
    first = []
    meanwhile(lambda: first.append(other.put(who, cause, JPEG)))
    answer = album.put(who, cause, JPEG)
    assert (answer.status_code, first[0].status_code) == (200, 201)
    assert answer.json == first[0].json
    assert (len(album.facts()), album.rows(cause)) == (1, [digest(JPEG)])
    assert album.get(who, cause, digest(JPEG)).data == JPEG
    assert album.findings() == []


def test_another_photo_from_elsewhere_meanwhile_is_kept_as_well(album, other, meanwhile):
    """Whoever was outrun decides again, and both are there."""
    who, cause = album.contribution("report")
    meanwhile(lambda: other.put(who, cause, a_photo(1)))
    assert album.put(who, cause, JPEG).status_code == 201
    assert album.named(who, cause) == [
        (digest(a_photo(1)), True, False), (digest(JPEG), True, False)
    ]  # fmt: skip
    assert sorted(album.rows(cause)) == sorted([digest(JPEG), digest(a_photo(1))])
    assert album.findings() == []


def test_a_photo_whose_owner_is_erased_meanwhile_leaves_nothing(album, other, meanwhile):
    """No fact, no row, no key, and no photo among those that were destroyed."""
    who, cause = album.contribution("report")
    ledger, done = album.services.ledger, []

    def erased() -> None:
        there, now = other.services.ledger, other.services.clock()
        there.ask_erasure(None, who.id, "other", now)
        there.run_erasure(who.id, now)
        done.append(there.erasure(who.id).completed)

    meanwhile(erased)
    answer = album.put(who, cause, JPEG)
    assert refusal(answer) == (410, "subject_erased")
    assert (album.facts(), album.rows(cause), done[0].photos) == ([], [], 0)
    assert ledger.store.select_of_subject(who.id) == []
    assert ledger.store.select_stored_key(who.id) is None
    assert album.findings() == []


def test_a_photo_of_a_household_that_is_erased_meanwhile_leaves_nothing(
    album, meanwhile, services, caller
):
    """What visits to it keep goes with it, and so must what was on its way."""
    campaign = Campaigning(services, caller)
    visit = made(campaign.worker, campaign.visit("A0"))
    registrar, approver = caller("registrar"), caller("approver")
    done = []

    def erased() -> None:
        asked = registrar.submit("/v1/erasures", {"household": "A0"}).json
        done.append(approver.submit(f"/v1/erasures/{asked['id']}/approve", {}).json)

    meanwhile(erased)
    answer = album.put(campaign.worker, visit, JPEG)
    assert refusal(answer) == (410, "subject_erased")
    assert (done[0]["state"], album.facts(), album.rows(visit)) == ("completed", [], [])
    assert album.findings() == []


def test_a_photo_behind_its_households_fence_is_shown_to_nobody(album, other, services, caller):
    """From the fence on it is as gone as it will be, also while its row is still there."""
    campaign = Campaigning(services, caller)
    visit = made(campaign.worker, campaign.visit("A0"))
    album.put(campaign.worker, visit, JPEG)
    there, now, seen = other.services.ledger, other.services.clock(), {}

    def look(step: str) -> None:
        shown = album.get(campaign.worker, visit, digest(JPEG))
        seen[step] = (album.rows(visit) != [], album.named(campaign.worker, visit)[0][1:],
                      refusal(shown))  # fmt: skip

    there.ask_erasure(None, household_subject("A0"), "other", now, household="A0")
    there.run_erasure(household_subject("A0"), now, look)
    gone = ((False, True), (404, "photo_erased"))
    assert seen["fenced"] == (True, *gone)
    assert seen["completed"] == (False, *gone)


def test_a_photo_of_a_visit_that_is_withdrawn_meanwhile_is_refused(
    album, meanwhile, services, caller
):
    """As if it had come after the withdrawal."""
    campaign = Campaigning(services, caller)
    visit = made(campaign.worker, campaign.visit())
    meanwhile(lambda: campaign.worker.submit(f"/v1/visits/{visit}/withdraw", {}))
    assert refusal(album.put(campaign.worker, visit, JPEG)) == (410, "visit_withdrawn")
    assert (album.facts(), album.rows(visit)) == ([], [])
