"""Receipts (回执): proof that an entry is in the signed log, for who it concerns and auditors."""

from __future__ import annotations

from base64 import b64encode
from uuid import UUID

import msgspec
from flask import Response, request

from api.auth import actor, services
from api.published import NotYetSigned, published
from api.routing import PERSONAL, Routes, answer
from ledger import facts
from ledger.erasure.erasures import HoldLifted, HoldPlaced
from ledger.errors import NotFound
from ledger.facts import Text
from ledger.searching import Wanted, find
from ledger.spending.accounts import AccountChanged
from ledger.store.leaf import parse_entry
from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.issuing import receipt
from ledger.transparency.merkle import leaf_hash
from ledger.transparency.notes import Note
from ledger.transparency.receipts import LogProof

JSON, PROOF = "application/json", "text/plain"
# Of an investigation nobody hears by them: neither whom it is about, nor by who placed it.
FOR_AUDITORS = frozenset({HoldPlaced.topic, HoldLifted.topic})

routes = Routes("receipts", __name__, description="Proof that an entry is in the signed log")


class Receipt(msgspec.Struct):
    """What the `.tlog-proof` file holds: leaf ``index``, counted from 0, of a tree of ``size``.

    ``proof``, from the leaf's sibling upwards, and ``entry`` are Base64; ``leaf_hash`` is
    hexadecimal.
    """

    position: int
    leaf_hash: str
    index: int
    size: int
    proof: list[str]
    checkpoint: str
    entry: str
    sentence: Text


@routes.on("GET", "/v1/receipts/<int:position>", "receipts.read", answers=Receipt,
           media=(PROOF, JSON), summary="The receipt of an entry")  # fmt: skip
def get_receipt(position: int) -> Response:
    """A file to keep, as c2sp.org/tlog-proof with the entry itself in its `extra` line.

    For whoever the entry concerns (their own, their wallet's, facts that name them, the verdicts
    on what they sent in; members of an account for its own) and for auditors; else it is not
    there. Those of legal holds are for auditors alone. Its checkpoint is the newest.
    `Accept: application/json` gives the parts of it. What was recorded a moment ago may be
    `not_yet_signed` (503).
    """
    if not _concerns_the_asker(position):
        raise NotFound
    folder = published().folder()
    found = None if folder is None else receipt(folder, position)
    if found is None:
        raise NotYetSigned
    wish = request.accept_mimetypes.best_match([PROOF, JSON])
    return answer(_parts(found)) if wish == JSON else _file(found, position)


def _file(found: LogProof, position: int) -> Response:
    response = Response(bytes(found), content_type=f"{PROOF}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{position}.tlog-proof"'
    response.headers["Cache-Control"] = PERSONAL
    return response


def _parts(found: LogProof) -> Receipt:
    row = parse_entry(found.extra)
    return Receipt(
        position=row.position, leaf_hash=leaf_hash(found.extra).hex(), index=found.leaf,
        size=Checkpoint.parse(Note.parse(found.checkpoint).text).size,
        proof=[b64encode(one).decode() for one in found.proof],
        checkpoint=found.checkpoint.decode(), entry=b64encode(found.extra).decode(),
        sentence=facts.decode(row.topic, row.state).sentence(UUID(row.originator_id)),
    )  # fmt: skip


def _concerns_the_asker(position: int) -> bool:
    who, ledger = actor(), services().ledger
    if position < 1:
        return False
    before = position - 1
    mine = Wanted(participant=None if who.role == "auditor" else who.participant_id)
    for row in find(ledger, mine, before, limit=1, positions_max=1).rows:
        return who.role == "auditor" or row.topic not in FOR_AUDITORS
    for row in find(ledger, Wanted(), before, limit=1, positions_max=1).rows:
        fact = ledger.entry(row).fact
        account: UUID | None = getattr(fact, "participant_id", None)
        if isinstance(fact, AccountChanged):
            account = UUID(str(row.originator_id))
        if account is not None and who.participant_id in ledger.account(account).members:
            return True
    return False
