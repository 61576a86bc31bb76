"""What lies beside the log is compared with it: snapshots of wallets, and the vault."""

from __future__ import annotations

from uuid import UUID, uuid4

import msgspec
import pytest

from ledger import facts
from ledger.audit import Disclosures, audit, rows_of
from ledger.identity import wallet_id
from ledger.wallet import WalletSnapshot
from tests.ledger.examples import NOW, a_report, contribute, someone, verify


@pytest.fixture
def kept(town, table):
    """A citizen's account with a snapshot, and the position of the fact at its version."""
    citizen, dispatcher = someone(town), someone(town, "dispatcher")
    for number in range(21):
        verify(town, contribute(town, "report", citizen, a_report(str(number))), dispatcher)
    account = wallet_id(citizen.participant_id)
    ((version,),) = table.run(
        "SELECT originator_version FROM snapshots WHERE originator_id = ?", account
    )
    ((position,),) = table.run(
        "SELECT position FROM events WHERE originator_id = ? AND originator_version = ?",
        account, version,
    )  # fmt: skip
    return account, position


def enriched(table, account) -> bytes:
    """The stored snapshot with a thousand coins more."""
    ((state,),) = table.run("SELECT state FROM snapshots WHERE originator_id = ?", account)
    wallet = facts.decode(WalletSnapshot.topic, bytes(state)).wallet
    lots = {day: dict.fromkeys(each, 1000) for day, each in wallet.lots.items()}
    return facts.encode(WalletSnapshot(wallet=msgspec.structs.replace(wallet, lots=lots)))


def test_an_honest_snapshot_gives_no_finding(findings, kept):
    """A snapshot the ledger made is what folding the log gives."""
    assert findings() == []


def test_a_snapshot_with_coins_nobody_earned_is_named(findings, table, kept):
    """A thousand coins put into a snapshot are found at the fact it claims to stand at."""
    account, position = kept
    state = enriched(table, account)
    table.run("UPDATE snapshots SET state = ? WHERE originator_id = ?", state, account)
    assert [(one.code, one.position) for one in findings()] == [("SNAPSHOT", position)]


def test_a_snapshot_that_cannot_be_read_is_named(findings, table, kept):
    """Bytes that are no wallet are found as well."""
    account, position = kept
    table.run("UPDATE snapshots SET state = ? WHERE originator_id = ?", b"{}", account)
    assert [(one.code, one.position) for one in findings()] == [("SNAPSHOT", position)]


@pytest.mark.parametrize("column", ["originator_version", "originator_id"])
def test_a_snapshot_of_what_never_was_is_named(column, findings, table, kept):
    """A snapshot of a version, or of a wallet, the log does not have is found at its end."""
    account, _ = kept
    value = 1000 if column == "originator_version" else uuid4()
    table.run(f"UPDATE snapshots SET {column} = ? WHERE originator_id = ?", value, account)
    assert [(one.code, one.position) for one in findings()] == [("SNAPSHOT", table.head())]


@pytest.mark.parametrize("column", ["nonce", "ciphertext"])
def test_a_damaged_disclosure_is_named(column, findings, table):
    """A vault row that does not open is found at the fact that committed to it."""
    row = table.read(table.first("report.recorded"))
    for value in (bytes(40), b""):
        table.run(
            f"UPDATE vault SET {column} = ? WHERE originator_id = ?", value, row.originator_id
        )
        assert [(one.code, one.position) for one in findings()] == [("VAULT", row.position)]


def test_a_disclosure_replaced_by_another_is_named(town, findings, table):
    """Words sealed anew under the right key are not those the log committed to."""
    row = table.read(table.first("report.recorded"))
    sealed = facts.decode(row.topic, bytes(row.state)).sealed[0]
    originator = UUID(str(row.originator_id))
    _, other = town.vault.seal(originator, sealed.subject, sealed.field, "something else", NOW)
    table.run(
        "UPDATE vault SET nonce = ?, ciphertext = ? WHERE originator_id = ?",
        other.nonce, other.ciphertext, row.originator_id,
    )  # fmt: skip
    assert [(one.code, one.position) for one in findings()] == [("VAULT", row.position)]


def test_what_is_missing_without_an_erasure_is_named(findings, table):
    """A row taken away is named, and so is all of a person whose key is gone without a fact."""
    row = table.read(table.first("report.recorded"))
    subject = facts.decode(row.topic, bytes(row.state)).sealed[0].subject
    table.run("DELETE FROM vault WHERE originator_id = ?", row.originator_id)
    assert [(one.code, one.position) for one in findings()] == [("VAULT", row.position)]
    table.run("DELETE FROM vault_keys WHERE subject = ?", subject)
    found = findings()
    assert {one.code for one in found} == {"VAULT"}
    assert len(found) > 5


def test_every_kind_of_sealed_fact_is_opened(town, table):
    """Registrations, consents, contributions and refusals all lose their row, all are found."""
    table.run("DELETE FROM vault")
    erased = {one.subject for one in town.store.select_fences()}
    sealed = {
        town.entry(row).position for row in town.rows()
        if {one.subject for one in getattr(town.entry(row).fact, "sealed", ())} - erased
    }  # fmt: skip
    found = list(audit(rows_of(town), Disclosures(town.vault, town.store)))
    assert {one.position for one in found} == sealed
    assert {one.code for one in found} == {"VAULT"}
    assert len(sealed) > 5
