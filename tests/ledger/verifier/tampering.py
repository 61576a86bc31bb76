"""Ways to tamper with a bundle: each changes it as somebody with its key or without would."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from ledger import facts
from ledger.days import microseconds
from ledger.store.leaf import EntryRow
from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.notes import Note
from ledger.transparency.signing import Signer, new_key
from ledger.transparency.tiles import TRUST_POLICY
from tests.ledger.verifier.forging import ORIGIN, Forger

AWARD, REVOKED, POLICY = "wallet.coins-awarded", "token.revoked", "policy.published"
Tamper = Callable[[Forger], bytes | None]
"""Changes a bundle; gives the older checkpoint that somebody kept, where there is one."""


def of_fact(topic: str, sign: bool = True, /, **fields: object) -> Tamper:
    """Fields of the first fact of a kind are changed, and every hash is made anew."""

    def tamper(forger: Forger) -> None:
        rows, at = forger.rows(), forger.first(topic) - 1
        fact = facts.decode(topic, rows[at].state)
        rows[at] = rows[at]._replace(state=facts.encode(msgspec.structs.replace(fact, **fields)))
        forger.rebuild(rows, sign=sign)

    return tamper


def of_row(topic: str, /, **change: Callable[[EntryRow], object]) -> Tamper:
    """Columns of the first fact of a kind are changed, and every hash is made anew."""

    def tamper(forger: Forger) -> None:
        rows, at = forger.rows(), forger.first(topic) - 1
        rows[at] = rows[at]._replace(**{name: make(rows[at]) for name, make in change.items()})
        forger.rebuild(rows)

    return tamper


def another_award(cause: Callable[[EntryRow], UUID]) -> Tamper:
    """An award behind the end, at the right place of its wallet."""

    def tamper(forger: Forger) -> None:
        rows = forger.rows()
        award = rows[forger.first(AWARD) - 1]
        version = sum(row.originator_id == award.originator_id for row in rows) + 1
        fact = facts.decode(AWARD, award.state)
        state = facts.encode(msgspec.structs.replace(fact, cause=cause(award)))
        forger.rebuild([*rows, award._replace(
            position=len(rows) + 1, originator_version=version, state=state
        )])  # fmt: skip

    return tamper


def again(topic: str) -> Tamper:
    """The first movement of a kind stands a second time, behind the end."""

    def tamper(forger: Forger) -> None:
        rows = forger.rows()
        row = rows[forger.first(topic) - 1]
        version = sum(one.originator_id == row.originator_id for one in rows) + 1
        forger.rebuild([*rows, row._replace(
            position=len(rows) + 1, originator_version=version
        )])  # fmt: skip

    return tamper


def years_later(forger: Forger) -> None:
    """Nothing ended what was held: the last fact is of long after."""
    rows = forger.rows()
    rows[-1] = rows[-1]._replace(recorded_at=rows[-1].recorded_at + 3 * 365 * 86_400 * 10**6)
    forger.rebuild(rows)


def no_budget_raised(forger: Forger) -> None:
    """The last budget that was set, which left room for awards, never did."""
    rows = forger.rows()
    at = max(row.position for row in rows if row.topic == "budget.set") - 1
    fact = msgspec.structs.replace(facts.decode(rows[at].topic, rows[at].state), coins=0)
    rows[at] = rows[at]._replace(state=facts.encode(fact))
    forger.rebuild(rows)


def numbered_wrong(forger: Forger) -> None:
    """An entry says of itself that it stands one further."""
    rows = forger.rows()
    at = forger.first(REVOKED) - 1
    rows[at] = rows[at]._replace(position=at + 2)
    forger.rebuild(rows)


def back_dated(forger: Forger) -> None:
    """A new policy for days that were rewarded; its time says that it is from before them."""
    rows = forger.rows()
    first = rows[forger.first(POLICY) - 1]
    before = facts.decode(POLICY, first.state)
    day = before.effective_from + timedelta(days=1)
    toml = before.toml.replace('"2026-01"', '"2026-02"').replace("2020-01-01", f"{day}")
    fact = msgspec.structs.replace(before, version="2026-02", toml=toml, effective_from=day)
    (forger.folder / "policies" / "2026-02.toml").write_text(toml)
    forger.rebuild([*rows, first._replace(
        position=len(rows) + 1, state=facts.encode(fact),
        originator_version=sum(one.originator_id == first.originator_id for one in rows) + 1,
        recorded_at=microseconds(datetime(2019, 1, 1, tzinfo=UTC)),
    )])  # fmt: skip


def own_cause(award: EntryRow) -> UUID:
    return facts.decode(AWARD, award.state).cause


def by_its_owner(forger: Forger) -> None:
    """Somebody verified their own report."""
    rows = forger.rows()
    at = forger.first("contribution.verified") - 1
    recorded = next(row for row in rows if row.originator_id == rows[at].originator_id)
    owner = facts.decode(recorded.topic, recorded.state).participant_id
    of_fact("contribution.verified", by=owner)(forger)


def without(topic: str) -> Tamper:
    """The first fact of a kind is gone, and those behind it are numbered anew."""

    def tamper(forger: Forger) -> None:
        at = forger.first(topic) - 1
        forger.rewrite(lambda rows: rows.__delitem__(at))

    return tamper


def of_file(name: str, change: Callable[[str], str]) -> Tamper:
    """A file of the bundle is changed."""

    def tamper(forger: Forger) -> None:
        path = forger.folder / name
        path.write_text(change(path.read_text()))

    return tamper


def of_tile(name: str) -> Tamper:
    """A hash of a tile is changed."""

    def tamper(forger: Forger) -> None:
        path = forger.folder / name
        content = path.read_bytes()
        path.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])

    return tamper


def another_key(forger: Forger) -> None:
    forger.sign(forger.head, Signer(ORIGIN, new_key()))


def an_old_signature(forger: Forger) -> None:
    """A history rewritten, its root put under the signature of the true one."""
    signatures = Note.parse(forger.checkpoint).signatures
    of_fact(REVOKED, by=uuid4())(forger)
    note = Note(str(forger.head), signatures)
    (forger.folder / "checkpoint").write_bytes(bytes(note))


def no_log_named(forger: Forger) -> None:
    (forger.folder / TRUST_POLICY).write_text("quorum none\n")


def no_quorum(forger: Forger) -> None:
    """A witness is asked for, and did not sign."""
    path = forger.folder / TRUST_POLICY
    witness = Signer("w.example/w", new_key(), 4).verifier
    path.write_text(path.read_text().replace("quorum none", f"witness w {witness}\nquorum w"))


def rewritten(forger: Forger) -> bytes:
    """Signed anew with the true key; somebody kept a checkpoint of the same size."""
    older = forger.checkpoint
    of_fact(REVOKED, by=uuid4())(forger)
    return older


def rolled_back(forger: Forger) -> bytes:
    """Shorter than it was, as after restoring a backup."""
    older = forger.checkpoint
    forger.rebuild(forger.rows()[:-3])
    forger.show_nothing()
    return older


def of_another(origin: str, signer: Signer | None) -> Tamper:
    """Somebody kept a checkpoint of this very tree, from another log or by another key."""

    def tamper(forger: Forger) -> bytes:
        ours, head = forger.checkpoint, forger.head
        forger.sign(Checkpoint(origin, head.size, head.root), signer)
        theirs = forger.checkpoint
        (forger.folder / "checkpoint").write_bytes(ours)
        return theirs

    return tamper


def linked_away(forger: Forger) -> None:
    """A tile lies outside of the bundle, and is as it should be."""
    path = forger.folder / "tile/0/000"
    other = shutil.move(path, forger.folder.parent / "elsewhere")
    path.symlink_to(other)


def never_published(forger: Forger) -> None:
    (forger.folder / "policies" / "2031-01.toml").write_text("")


def without_boards(text: str) -> str:
    """Whoever shows none, needs not show right ones."""
    times = json.loads(text)
    del times["boards"]
    return json.dumps(times)


def shown_later(text: str) -> str:
    times = json.loads(text)
    times["boards"]["position"] += 1_000
    return json.dumps(times)


def first_line_twice(text: str) -> str:
    head, *lines = text.splitlines(keepends=True)
    empty = next(line for line in lines if line.endswith(",0,0\n"))
    return "".join([head, *(line * (1 + (line == empty)) for line in lines)])


def spelled_otherwise(text: str) -> str:
    """Ten coins, or one and a zero: it depends on the reader."""
    head, line, *lines = text.splitlines(keepends=True)
    return "".join([head, line.replace(",", ",0_", 1), *lines])


def richer(text: str) -> str:
    head, *lines = text.splitlines(keepends=True)
    return "".join([head, lines[0].replace(",", ",9", 1), *lines[1:]])
