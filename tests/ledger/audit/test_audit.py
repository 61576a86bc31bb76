"""The audit: nothing on an honest log, and every way to tamper named at its place."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from ledger import awards, facts, identity
from ledger.audit import audit, rows_of
from ledger.coins import CoinsAwarded
from ledger.contributions.base import Verified
from ledger.contributions.patrol import PatrolRecorded
from ledger.log import Append
from ledger.policy import PolicyPublished
from ledger.settlement import default_policy
from tests.ledger.audit.conftest import COLUMNS
from tests.ledger.examples import NOW, a_report, a_walk, contribute, someone, verify

AWARD, REFUSAL = "wallet.coins-awarded", "wallet.award-refused"


def tampered(row, column: str):
    """The column with one byte or bit of it changed."""
    value = getattr(row, column)
    if column == "position":
        return value + 4096
    if column == "originator_id":
        return UUID(int=UUID(str(value)).int ^ 1)
    if column in ("originator_version", "recorded_at"):
        return value ^ 256
    if column == "topic":
        return value[:-1] + chr(ord(value[-1]) ^ 1)
    middle = len(value) // 2
    return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]


def edited(row, **fields: object) -> bytes:
    """The state with fields of the fact replaced."""
    fact = facts.decode(row.topic, bytes(row.state))
    return facts.encode(msgspec.structs.replace(fact, **fields))


def codes(found) -> list[str]:
    return [one.code for one in found]


def test_an_honest_log_gives_no_finding(findings, table, topics):
    """A log with every kind of fact, written by the ledger alone, is found without fault."""
    assert all(table.first(topic) for topic in topics)
    assert findings() == []


def test_one_changed_byte_in_any_column_of_any_fact_is_named(findings, table, topics):
    """Whatever column of whatever kind of fact is touched, the first finding is at its place."""
    for topic in topics:
        position = table.first(topic)
        for column in COLUMNS:
            row = table.read(position)
            table.change(position, **{column: tampered(row, column)})
            found = findings()
            assert found, (topic, column)
            assert found[0].position == position, (topic, column, found)
            moved = position + 4096 if column == "position" else position
            table.change(moved, **{column: getattr(row, column)})
    assert findings() == []


def test_two_swapped_rows_are_named(findings, table):
    """Rows that changed places are found at the first of them."""
    first, second = table.first("report.recorded"), table.head()
    table.change(first, position=-1)
    table.change(second, position=first)
    table.change(-1, position=second)
    assert [one.position for one in findings() if one.code == "LEAF_HASH"] == [first, second]
    assert findings()[0].position == first


def test_a_deleted_row_is_named(findings, table):
    """A row missing from the middle is found at its place."""
    position = table.first(AWARD)
    table.delete(position)
    found = findings()
    assert (found[0].code, found[0].position) == ("POSITION", position)


def test_the_missing_award_of_the_last_decision_is_named(town, findings, table):
    """A log cut off between a decision and its money fact is found to lack the latter."""
    contribute(town, "patrol", someone(town), a_walk(900, 1500, NOW), NOW)
    head = table.head()
    table.delete(head)
    assert [(one.code, one.position) for one in findings()] == [("AWARD_MISSING", head)]


def test_a_forged_award_with_right_hash_and_version_is_named(findings, table):
    """Coins nobody earned are found although hash, version and bytes are right."""
    row = table.read(table.first(AWARD))
    latest = table.run(
        "SELECT max(originator_version) FROM events WHERE originator_id = ?", row.originator_id
    )[0][0]
    vars(row).update(
        position=table.head() + 1, originator_version=latest + 1, state=edited(row, cause=uuid4())
    )
    table.insert(**vars(row))
    assert codes(findings()) == ["AWARD_UNFOUNDED", "BALANCE", "QUOTA"]
    assert findings()[0].position == row.position


def test_a_second_award_for_one_cause_is_named(findings, table):
    """The same cause paid again is found as such."""
    row = table.read(table.first(AWARD))
    latest = table.run(
        "SELECT max(originator_version) FROM events WHERE originator_id = ?", row.originator_id
    )[0][0]
    vars(row).update(position=table.head() + 1, originator_version=latest + 1)
    table.insert(**vars(row))
    assert codes(findings())[0] == "AWARD_TWICE"


@pytest.mark.parametrize("field", ["amount", "rule", "reasons", "expires_on", "kind"])
def test_an_edited_award_with_a_right_hash_is_named(field, findings, table):
    """What was granted, by which rule and why is recomputed, not believed."""
    position = table.first(AWARD)
    row = table.read(position)
    fact = facts.decode(AWARD, bytes(row.state))
    value = {
        "amount": fact.amount + 1, "rule": "gift", "reasons": ("cap_day",), "kind": "visit",
        "expires_on": fact.expires_on + timedelta(days=1),
    }[field]  # fmt: skip
    table.change(position, rehash=True, state=edited(row, **{field: value}))
    assert (findings()[0].code, findings()[0].position) == ("AWARD_DIFFERS", position)


def test_a_refusal_turned_into_an_award_is_named(findings, table):
    """A refused contribution that was given coins afterwards is found."""
    position = table.first(REFUSAL)
    row = table.read(position)
    refused = facts.decode(REFUSAL, bytes(row.state))
    gift = CoinsAwarded(
        participant_id=refused.participant_id, amount=5, cause=refused.cause, kind=refused.kind,
        rule="patrol.length", policy_version=refused.policy_version, earned_on=refused.earned_on,
        expires_on=refused.earned_on, role="citizen", districts=(),
    )  # fmt: skip
    table.change(position, rehash=True, topic=AWARD, state=facts.encode(gift))
    assert (findings()[0].code, findings()[0].position) == ("AWARD_DIFFERS", position)


def test_an_award_moved_to_another_wallet_is_named(findings, table):
    """Coins put into somebody else's wallet are found, even with a right hash."""
    position = table.first(AWARD)
    other = identity.wallet_id(uuid4())
    table.change(position, rehash=True, originator_id=other, originator_version=1)
    assert findings()[0].position == position
    assert "OUT_OF_PLACE" in codes(findings())


def test_an_edited_verdict_is_named(findings, table):
    """A verdict that does not follow from its measurements is found."""
    position = table.run(
        "SELECT max(position) FROM events WHERE topic = 'patrol.assessed'"
    )[0][0]
    row = table.read(position)
    table.change(position, rehash=True, state=edited(row, verdict="valid", reasons=()))
    found = findings()
    assert (found[0].code, found[0].position) == ("VERDICT", position)


def test_edited_measurements_are_named(findings, table):
    """Measurements made longer no longer fit the award that stands."""
    position = table.first("patrol.assessed")
    row = table.read(position)
    metrics = facts.decode(row.topic, bytes(row.state)).metrics
    longer = msgspec.structs.replace(metrics, length_m=metrics.length_m + 300)
    table.change(position, rehash=True, state=edited(row, metrics=longer))
    found = findings()
    assert (found[0].code, found[0].position) == ("AWARD_DIFFERS", position + 1)


def test_bytes_not_written_by_the_ledger_are_named(findings, table):
    """A state with the same meaning in other bytes is found."""
    position = table.first("token.issued")
    honest = bytes(table.read(position).state)
    assert honest.endswith(b',"district":null,"by":null}')
    for state in (
        honest.replace(b"{", b"{ ", 1),
        honest.replace(b'"district":null,"by":null', b'"by":null,"district":null'),
        honest.replace(b'"by":null', b'"by":null,"by":null'),
        honest.removesuffix(b"}") + b"}\n",
    ):
        table.change(position, rehash=True, state=state)
        assert [(one.code, one.position) for one in findings()] == [("NOT_CANONICAL", position)]


def test_a_fact_stored_before_a_field_was_added_is_honest(findings, table):
    """Bytes that only lack the last members, which have defaults, are as they once were written."""
    position = table.first("token.issued")
    state = bytes(table.read(position).state)
    older = state.replace(b',"by":null}', b"}")
    assert older != state
    table.change(position, rehash=True, state=older)
    revoked = table.first("token.revoked")
    table.change(revoked, rehash=True, state=b"{}")
    assert findings() == []


# PostgreSQL itself refuses an id that is none.
@pytest.mark.parametrize("env", ["sqlite"], indirect=True)
def test_a_row_the_driver_cannot_read_is_named_and_the_rest_is_checked(findings, table):
    """A damaged id ends nothing: it is named, and so is a later fault."""
    first, later = table.first("river.reach-imported"), table.first("token.revoked")
    table.run("UPDATE events SET originator_id = 'no id' WHERE position = ?", first)
    table.change(later, leaf_hash=bytes(32))
    found = [(one.code, one.position) for one in findings()]
    assert found[0] == ("UNREADABLE", first)
    assert ("LEAF_HASH", later) in found


def test_a_policy_published_behind_awards_is_named(town, findings, long_ago):
    """A policy dated back over awards that were made is found, whoever wrote it."""
    toml = default_policy().replace('"2026-01"', '"forged"').replace("2020-01-01", str(long_ago))
    fact = PolicyPublished(version="forged", effective_from=long_ago, toml=toml)
    entry = town.append(
        [Append(identity.POLICIES, town.policies.current().version, [fact])],
        NOW + timedelta(days=2),
    )[0]
    assert [(one.code, one.position) for one in findings()] == [("POLICY", entry.position)]


def test_a_review_of_ones_own_is_named(town, findings):
    """Somebody who verified their own report is found."""
    citizen = someone(town)
    receipt = contribute(town, "report", citizen, a_report())
    fact = Verified(by=citizen.participant_id, command_id=uuid4(), body_digest="")
    entry = town.append([Append(receipt.id, 1, [fact])], NOW)[0]
    assert (findings()[0].code, findings()[0].position) == ("SELF_REVIEW", entry.position)


def test_facts_no_decision_leaves_behind_do_not_stop_the_audit(town, findings):
    """A verified patrol that was never assessed is a finding, not a crash."""
    cause, citizen, dispatcher = uuid4(), someone(town), someone(town, "dispatcher")
    recorded = PatrolRecorded(
        participant_id=citizen.participant_id, role="citizen", role_district=None, districts=(),
        earned_on=NOW.date(), body_digest="",
    )  # fmt: skip
    yes = Verified(
        by=dispatcher.participant_id, command_id=uuid4(), body_digest="", tier=1
    )
    position = town.append([Append(cause, 0, [recorded, yes, recorded])], NOW)[0].position
    found = findings()
    assert [(one.code, one.position) for one in found] == [
        ("OUT_OF_PLACE", position + 1), ("OUT_OF_PLACE", position + 2),
    ]  # fmt: skip


def test_a_cap_the_ledger_forgot_is_named(town, findings, monkeypatch):
    """Should the rule that applies the caps fail, counting without it finds the excess."""
    monkeypatch.setattr(awards, "_capped", lambda wallet, claim, coins, policy: (coins, ()))
    citizen, dispatcher = someone(town), someone(town, "dispatcher")
    for _ in range(2):
        receipt = contribute(town, "report", citizen, a_report())
        last = verify(town, receipt, dispatcher, tier=3)
    found = [(one.code, one.position) for one in audit(rows_of(town))]
    assert ("CAP_EXCEEDED", last.position) in found
