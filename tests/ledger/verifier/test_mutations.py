"""Every way to tamper with a published log: found in the bundle, or by an older checkpoint."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from ledger import facts, identity
from ledger.days import microseconds
from ledger.store.leaf import EntryRow, entry_bytes
from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.signing import Signer, new_key
from tests.ledger.examples import NOW
from tests.ledger.verifier.forging import ORIGIN, Forger

AWARD = "wallet.coins-awarded"
COLUMNS = EntryRow._fields


def edited(row: EntryRow, **fields: object) -> EntryRow:
    """The row with fields of its fact replaced."""
    fact = msgspec.structs.replace(facts.decode(row.topic, row.state), **fields)
    return row._replace(state=facts.encode(fact))


def one_bit_off(value):
    """The value with one bit or letter of it changed."""
    if isinstance(value, int):
        return value ^ 1
    middle = len(value) // 2
    if isinstance(value, str):
        return value[:middle] + chr(ord(value[middle]) ^ 1) + value[middle + 1 :]
    return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]


def codes(found) -> list[str]:
    return [one.code for one in found]


def test_one_changed_byte_in_any_column_of_any_kind_is_named(forger, found):
    """Whatever column of whatever fact is touched, its leaf hash is first, and at its place."""
    firsts = {row.topic: row for row in reversed(forger.rows())}
    touched = sorted(firsts.values())
    for column in COLUMNS:
        for row in touched:
            forger.edit(row.position, **{column: one_bit_off(getattr(row, column))})
        told = found()
        wrong = [one.position for one in told if one.code == "LEAF_HASH"]
        assert wrong == [row.position for row in touched], column
        assert told[0].position == wrong[0]
        assert "ROOT" in codes(told)
        for row in touched:
            forger.replace(row.position, entry_bytes(row))
    assert found() == []


def test_two_swapped_entries_are_named(forger, found):
    """Entries that changed places are found at both."""
    rows = forger.rows()
    forger.replace(10, entry_bytes(rows[19]))
    forger.replace(20, entry_bytes(rows[9]))
    assert [one.position for one in found() if one.code == "LEAF_HASH"] == [10, 20]


def test_an_entry_that_is_none_is_named(forger, found):
    """Garbage in the place of an entry is found, and the rest is still checked."""
    forger.replace(10, b"garbage")
    assert [(one.code, one.position) for one in found()][:2] == [
        ("LEAF_HASH", 10), ("UNREADABLE", 10),
    ]  # fmt: skip


@pytest.mark.parametrize("which", [-1, 5, slice(-5, None)], ids=["last", "middle", "tail"])
def test_deleted_entries_are_named(which, forger, found):
    """Entries taken out, with every hash made anew, are not what was signed, nor is it there."""

    def delete(rows: list[EntryRow]) -> None:
        del rows[which]

    size = forger.head.size
    forger.rewrite(delete, sign=False)
    told = found()
    assert "BUNDLE" in codes(told)  # The tiles are of another size than the checkpoint.
    assert told[0].position <= size


def test_deleted_entries_signed_anew_are_named_by_an_older_checkpoint(forger, found):
    """With the true key the bundle alone is in order; whoever kept a checkpoint sees the fork."""
    older = forger.checkpoint
    last = max(row.position for row in forger.rows() if row.topic == "token.revoked")

    def delete(rows: list[EntryRow]) -> None:
        del rows[last - 1]

    forger.rewrite(delete)
    forger.show_nothing()
    assert codes(found()) == []
    assert [(one.code, one.position) for one in found(older)] == [("FORK", forger.head.size + 1)]


def test_a_changed_entry_and_its_hash_are_named(forger, found):
    """With the leaf hash made to fit, the tile above it tells, or the root."""
    row = edited(forger.rows()[forger.first(AWARD) - 1], amount=9)
    rows = [row if one.position == row.position else one for one in forger.rows()]
    head = forger.head
    forger.rebuild(rows, sign=False)
    told = found()
    assert ("ROOT", head.size) in [(one.code, one.position) for one in told]
    assert ("AWARD_DIFFERS", row.position) in [(one.code, one.position) for one in told]


def test_a_changed_tile_is_named(forger, found):
    """A tile that is not what the entries give is found, at its first wrong entry."""
    names = forger.tiles()
    assert names[1:] == ["tile/0/001", names[2], "tile/1/000.p/2"]
    for name, code, position in (
        ("tile/0/000", "LEAF_HASH", 2), ("tile/0/001", "LEAF_HASH", 258),
        (names[2], "LEAF_HASH", 514), ("tile/1/000.p/2", "TILE", 257),
    ):  # fmt: skip
        path = forger.folder / name
        content = path.read_bytes()
        path.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])
        assert [(one.code, one.position) for one in found()] == [(code, position)], name
        path.write_bytes(content)
    assert found() == []


def test_a_rewritten_history_is_named_by_an_older_checkpoint_of_the_same_size(forger, found):
    """Two signed trees of one size are a fork, though each is in order by itself."""
    older = forger.checkpoint
    rows = forger.rows()
    place = next(
        row for row in rows if row.topic == "participant.consent-given" and row.position < len(rows)
    )
    rows[place.position - 1] = place._replace(recorded_at=place.recorded_at + 1)
    forger.rebuild(rows)
    assert codes(found()) == []
    (fork,) = found(older)
    assert (fork.code, fork.position) == ("FORK", len(rows))


def test_a_changed_beginning_is_named_by_an_older_checkpoint(forger, found):
    """The log has grown since, and does not begin as it did."""
    rows = forger.rows()
    forger.rebuild(rows[:300])
    older = forger.checkpoint
    rows[10] = rows[10]._replace(recorded_at=rows[10].recorded_at + 1)
    forger.rebuild(rows)
    assert [(one.code, one.position) for one in found(older) if one.code == "FORK"] == [
        ("FORK", 300)
    ]


def test_a_restored_backup_is_named_by_an_older_checkpoint(forger, found):
    """A log that is shorter than it was, signed as it stands, lost what a checkpoint shows."""
    older, rows = forger.checkpoint, forger.rows()
    forger.rebuild(rows[:400])
    assert [(one.code, one.position) for one in found(older) if one.code == "FORK"] == [
        ("FORK", 401)
    ]


def test_a_deleted_tail_with_forged_entries_is_named_by_an_older_checkpoint(forger, found):
    """The same number of entries again, other ones: only a checkpoint from before tells."""
    older, rows = forger.checkpoint, forger.rows()
    rows[-1] = rows[-1]._replace(recorded_at=rows[-1].recorded_at + 1)
    forger.rebuild(rows)
    assert "FORK" in codes(found(older))


def test_forged_awards_with_right_hashes_are_named_by_the_replay(forger, found):
    """Integrity is green, for all was signed with the true key; the coins have no cause."""
    rows = forger.rows()
    award = rows[forger.first(AWARD) - 1]
    version = max(
        row.originator_version for row in rows if row.originator_id == award.originator_id
    )
    forged = edited(award, cause=uuid4())._replace(
        position=len(rows) + 1, originator_version=version + 1
    )
    forger.rebuild([*rows, forged])
    told = found()
    assert not {"LEAF_HASH", "TILE", "ROOT", "CHECKPOINT", "FORK", "BUNDLE"} & set(codes(told))
    assert (told[0].code, told[0].position) == ("AWARD_UNFOUNDED", len(rows) + 1)


@pytest.mark.parametrize("what", ["originator", "topic", "version", "backdated"])
def test_an_award_that_was_moved_is_named_though_signed_anew(what, forger, found):
    """Another wallet, name, version or time, with hashes and signature right, is found."""
    at = forger.first(AWARD)
    rows = forger.rows()
    row = rows[at - 1]
    rows[at - 1] = {
        "originator": row._replace(originator_id=str(identity.wallet_id(UUID(int=5)))),
        "topic": row._replace(topic="wallet.coins-spent"),
        "version": row._replace(originator_version=row.originator_version + 1),
        "backdated": row._replace(recorded_at=microseconds(NOW - timedelta(days=300))),
    }[what]
    forger.rebuild(rows)
    assert found()[0].position == at


def test_a_checkpoint_of_another_key_is_named(forger, found):
    """Whoever has not the log's key signs in vain, under any name."""
    head = forger.head
    forger.sign(head, Signer(ORIGIN, new_key()))
    assert codes(found()) == ["CHECKPOINT"]
    forger.sign(Checkpoint(ORIGIN, head.size, bytes(32)))
    assert codes(found()) == ["ROOT"]
    path = forger.folder / "checkpoint"
    path.write_bytes(path.read_bytes().replace(b"\n" + str(head.size).encode(), b"\n7", 1))
    assert "CHECKPOINT" in codes(found())


def test_older_checkpoints_of_others_are_named(forger, found):
    """One of another log or another key is none of this log's past."""
    older = forger.checkpoint
    assert codes(found(older, b"garbage")) == ["CHECKPOINT"]
    forger.sign(forger.head, Signer(ORIGIN, new_key()))
    foreign = forger.checkpoint
    forger.sign(Checkpoint("example.org/other", 3, bytes(32)))
    other = forger.checkpoint
    (forger.folder / "checkpoint").write_bytes(older)
    assert codes(found(foreign)) == ["CHECKPOINT"]
    assert codes(found(other)) == ["FORK"]


def test_a_changed_policy_is_named(forger, found):
    """The policies in the bundle are those the log published: each of them, and no other."""
    folder = forger.folder / "policies"
    (path,) = folder.iterdir()
    text = path.read_text()
    path.write_text(text.replace("coins = 2", "coins = 3", 1))
    assert [(one.code, one.position) for one in found()] == [("POLICY", 1)]
    path.unlink()
    assert codes(found()) == ["BUNDLE"]
    path.write_text(text)
    (folder / "2030-01.toml").write_text(text)
    assert codes(found()) == ["POLICY"]


def test_what_is_shown_must_be_what_was_earned(forger, found):
    """A balance or a line of a board that was changed, left out or invented is found."""
    balances = forger.folder / "balances.csv"
    text = balances.read_text()
    head, *lines = text.splitlines(keepends=True)
    rich = next(at for at, line in enumerate(lines) if not line.endswith(",0,0\n"))
    more = lines[rich].replace(",", ",9", 1)
    for changed in (
        [*lines[:rich], more, *lines[rich + 1 :]],
        [*lines[:rich], *lines[rich + 1 :]],
        [*lines, "ffffffff-ffff-4fff-bfff-ffffffffffff,5,0\n"],
    ):
        balances.write_text("".join([head, *changed]))
        assert codes(found()) == ["VIEW"]
    balances.write_text("".join([head, *reversed(lines)]))
    assert "BUNDLE" in codes(found())
    balances.write_text(text)
    boards = forger.folder / "boards.ndjson"
    text = boards.read_text()
    line, *others = text.splitlines(keepends=True)
    coins = json.loads(line)["coins"]
    boards.write_text("".join([line.replace(f'"coins": {coins}', '"coins": 99'), *others]))
    assert codes(found()) == ["VIEW"]
    boards.write_text("".join(others))
    assert codes(found()) == ["VIEW"]
    boards.write_text(text)
    assert found() == []


def test_the_tail_cut_off_is_not_hidden_by_the_checkpoint(forger: Forger, found):
    """Entries that were published and are gone from the folder are missed."""
    path = forger.folder / next(
        name for name in reversed(forger.tiles()) if name.startswith("tile/0/")
    )
    path.unlink()
    assert codes(found())[0] == "BUNDLE"


def test_the_first_finding_is_where_the_bundle_goes_wrong(forger: Forger, found):
    """Entries that are gone are named before what is shown of them."""
    (path,) = (forger.folder / "tile" / "entries").glob("002.p/*")
    path.unlink()
    # The commit that is cut in two may be one of coins: then the books are wrong as well.
    told = [one for one in found() if one.code != "BALANCE"]
    assert [(one.code, one.position) for one in told][:2] == [
        ("BUNDLE", 513), ("UNREADABLE", forger.head.size),
    ]  # fmt: skip
    assert not any("is of position" in one.text for one in told)
