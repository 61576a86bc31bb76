"""Receipts: for whoever an entry concerns, checked with nothing but the key of the log."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest

from ledger.store.leaf import entry_bytes
from ledger.transparency.merkle import check_inclusion
from ledger.transparency.notes import Note
from ledger.transparency.receipts import LogProof
from ledger.transparency.signing import verify
from tests.api.market import earn, publish, redeem
from tests.api.publishing import sign, signing, size_of

JSON = "application/json"
ON_SQLITE = pytest.mark.parametrize("environ", ["sqlite"], indirect=True)


@pytest.fixture
def environ(environ, tmp_path):
    """With a key of the log, and a folder for it."""
    return signing(environ, tmp_path)


def test_every_award_has_a_receipt_that_its_holder_can_check(caller, services):
    """From the statement's position to a file that proves the award under the signed root."""
    citizen = caller()
    earn(citizen, caller)
    (lot,) = citizen.get("/v1/wallets/me/explain").json["lots"]
    key, position = sign(services), lot["position"]
    answer = citizen.get(f"/v1/receipts/{position}")
    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    name = f'attachment; filename="{position}.tlog-proof"'
    assert answer.headers["Content-Disposition"] == name
    assert answer.headers["Cache-Control"] == "private, no-store"
    receipt = LogProof.parse(answer.data)
    (row,) = services.ledger.rows(position - 1, 1)
    assert receipt.extra == entry_bytes(row)
    receipt.check(receipt.extra)
    note = Note.parse(receipt.checkpoint)
    assert [one.key for one in note.signed_by([key], verify)] == [key]
    assert len(answer.data) <= 2048


def test_the_parts_of_a_receipt_come_as_json(caller, services):
    """The same as the file, part by part, with what happened in words; a browser gets the file."""
    citizen = caller()
    earn(citizen, caller)
    sign(services)
    position = services.ledger.head()
    found = citizen.get(f"/v1/receipts/{position}", Accept=JSON).json
    receipt = LogProof.parse(citizen.get(f"/v1/receipts/{position}", Accept="*/*").data)
    assert set(found["sentence"]) == {"zh", "en"}
    assert "30" in found["sentence"]["en"]
    assert {name: one for name, one in found.items() if name not in ("sentence", "leaf_hash")} == {
        "position": position, "index": position - 1, "size": services.ledger.head(),
        "proof": [b64encode(one).decode() for one in receipt.proof],
        "checkpoint": receipt.checkpoint.decode(), "entry": b64encode(receipt.extra).decode(),
    }  # fmt: skip
    root = b64decode(found["checkpoint"].split("\n")[2])
    leaf = bytes.fromhex(found["leaf_hash"])
    check_inclusion(receipt.proof, found["index"], found["size"], leaf, root)
    assert leaf == services.ledger.rows(position - 1, 1)[0].leaf_hash


def test_a_receipt_leads_to_the_newest_checkpoint(caller, services):
    """Asked again when the log has grown, the same entry is proven in the larger tree."""
    auditor = caller("auditor")
    sizes = []
    for _ in range(2):
        sign(services)
        found = LogProof.parse(auditor.get("/v1/receipts/1").data)
        found.check(found.extra)
        sizes.append(size_of(found.checkpoint))
        caller()
    assert sizes[0] < sizes[1] == services.ledger.head() - 2


@pytest.fixture
def city(caller, services):
    """Somebody who earned and redeemed, a team that was given coins, and all of it signed."""
    citizen, keeper, member = caller(), caller(), caller()
    merchant, officer = caller("merchant"), caller("reward_officer")
    earn(citizen, caller)
    offer = publish(merchant)
    made = redeem(citizen, offer).json
    merchant.submit(f"/v1/redemptions/{made['id']}/collect", {"voucher": made["voucher"]})
    account = officer.submit("/v1/accounts", {
        "kind": "team", "name": "护河队", "keeper": str(keeper.id), "district": "110",
    }).json["id"]  # fmt: skip
    keeper.submit(f"/v1/accounts/{account}/members",
                  {"participant_id": str(member.id), "action": "add"})  # fmt: skip
    citizen.submit("/v1/donations", {"to": account, "coins": 5})
    sign(services)
    return {"citizen": citizen, "member": member, "merchant": merchant, "officer": officer}


def receipts_of(one, services) -> set[str]:
    """The names of the facts whose receipts somebody gets."""
    return {
        row.topic for row in services.ledger.rows()
        if one.get(f"/v1/receipts/{row.position}").status_code == 200
    }  # fmt: skip


def test_receipts_are_for_whoever_the_entry_concerns(city, caller, services):
    """One's own facts, one's wallet's and what was decided on them; an account's for its members;
    everything for auditors; and nothing for strangers, whose answer tells nothing.
    """
    everything = {row.topic for row in services.ledger.rows()}
    auditor, stranger = caller("auditor"), caller("admin")
    sign(services)
    of = {name: receipts_of(one, services) for name, one in city.items()}
    assert receipts_of(auditor, services) >= everything
    themselves = {"participant.registered", "participant.role-granted", "token.issued"}
    assert receipts_of(stranger, services) <= themselves
    assert of["citizen"] - themselves == {
        "report.recorded", "contribution.verified", "wallet.coins-awarded",
        "redemption.requested", "wallet.coins-held", "redemption.issued",
        "redemption.collected", "wallet.coins-spent", "donation.made", "wallet.coins-given",
        "wallet.coins-received",
    }  # fmt: skip
    assert of["member"] - themselves == {
        "account.opened", "account.member-added", "wallet.coins-received"
    }
    assert "wallet.coins-awarded" not in of["merchant"] | of["officer"]
    theirs = next(row.position for row in services.ledger.rows()
                  if row.topic == "wallet.coins-awarded")  # fmt: skip
    assert stranger.get(f"/v1/receipts/{theirs}").json["code"] == "not_found"
    for position in (0, 10**6, 2**62, 2**64, 10**40):
        for one in (stranger, auditor):
            assert one.get(f"/v1/receipts/{position}").json["code"] == "not_found"


def test_the_receipt_of_a_hold_is_for_auditors_alone(caller, services):
    """Whose data is held does not learn it here, nor does who placed it have more to show."""
    person, approver, admin = caller(), caller("approver"), caller("admin")
    hold = approver.submit("/v1/holds", {"subject": person.id, "basis": "investigation"}).json
    admin.submit(f"/v1/holds/{hold['hold_id']}/lift", {})
    auditor = caller("auditor")
    sign(services)
    held = [row for row in services.ledger.rows() if row.topic.startswith("hold.")]
    assert [row.topic for row in held] == ["hold.placed", "hold.lifted"]
    for row in held:
        for one in (person, approver, admin):
            answer = one.get(f"/v1/receipts/{row.position}")
            assert (answer.status_code, answer.json["code"]) == (404, "not_found")
        entry = LogProof.parse(auditor.get(f"/v1/receipts/{row.position}").data).extra
        assert b"investigation" not in entry


def test_what_was_just_recorded_is_not_yet_signed(caller, services, app):
    """Before its checkpoint an entry has no receipt: 503, when to ask again, and the promise."""
    citizen = caller()
    position = services.ledger.head()
    for begun in (False, True):
        answer = citizen.get(f"/v1/receipts/{position}")
        assert (answer.status_code, answer.json["code"]) == (503, "not_yet_signed"), begun
        assert answer.headers["Retry-After"] == "2"
        assert "60" in answer.json["zh"]
        assert "60" in answer.json["en"]
        # Who may not have it learns nothing of how far the log is signed.
        assert caller().get(f"/v1/receipts/{position}").json["code"] == "not_found"
        if begun:
            break
        sign(services)
        citizen = caller()
        position = services.ledger.head()
    signed = size_of(services.published_log().checkpoint())
    auditor = caller("auditor")
    codes = [auditor.get(f"/v1/receipts/{one}").status_code for one in (signed, signed + 1)]
    assert codes == [200, 503]
    sign(services)
    assert citizen.get(f"/v1/receipts/{position}").status_code == 200


@ON_SQLITE
def test_a_damaged_file_makes_no_receipt(caller, services):
    """A receipt that would not hold is not given out: 503, whichever file is wrong."""
    auditor = caller("auditor")
    sign(services)
    folder, size = services.published_log(), services.ledger.head()
    assert auditor.get("/v1/receipts/2").status_code == 200
    second = len(next(folder.entries(0, size))) + 2
    for name, at in ((f"tile/0/000.p/{size}", 0), (f"tile/entries/000.p/{size}", second + 40)):
        right = (folder.path / name).read_bytes()
        wrong = right[:at] + bytes([right[at] ^ 1]) + right[at + 1 :]
        for content in (wrong, right[:-1], b""):
            folder.write(name, content)
            answer = auditor.get("/v1/receipts/2")
            assert (answer.status_code, answer.json["code"]) == (503, "log_damaged")
        (folder.path / name).unlink()
        assert auditor.get("/v1/receipts/2").status_code == 503
        folder.write(name, right)
    assert auditor.get("/v1/receipts/2").status_code == 200
