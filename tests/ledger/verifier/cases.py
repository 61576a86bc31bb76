"""Ways to tamper with a bundle, each with what is found, and with the check it is found by."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from uuid import UUID, uuid4

from ledger import identity
from ledger.transparency.signing import Signer, new_key
from tests.ledger.verifier import tampering
from tests.ledger.verifier.forging import ORIGIN
from tests.ledger.verifier.tampering import AWARD, REVOKED, Tamper, of_fact, of_file, of_row


class Case(NamedTuple):
    """``tamper`` is found as ``code``, but not by a verifier in which ``line`` reads ``mutant``."""

    tamper: Tamper
    code: str
    line: str
    mutant: str


FALSE = "if False:"
CASES = {
    # The tree and its signatures.
    "an entry": Case(
        tampering.of_tile("tile/0/000"), "LEAF_HASH",
        "differs = stored is not None and leaf != stored", "differs = False",
    ),
    "a tile": Case(
        tampering.of_tile("tile/1/000.p/2"), "TILE",
        "if theirs != ours and not level.faulty[at]:", FALSE,
    ),
    "a root": Case(of_fact(REVOKED, False, by=uuid4()), "ROOT", "if root != right:", FALSE),
    "a key": Case(
        tampering.another_key, "CHECKPOINT", "problems += trust.problems(note, verify)", "pass"
    ),
    "a signature": Case(
        tampering.an_old_signature, "CHECKPOINT",
        "return _encoded(seen) == signature[:32]", "return True",
    ),
    "no log": Case(
        tampering.no_log_named, "CHECKPOINT",
        'problems = [] if trust.logs else ["the trust policy names no log"]', "problems = []",
    ),
    "no quorum": Case(tampering.no_quorum, "CHECKPOINT", "if not self.reached(have):", FALSE),
    "a fork": Case(tampering.rewritten, "FORK", "if root != right:", FALSE),
    "a backup": Case(tampering.rolled_back, "FORK", "elif then.size > head.size:", "elif False:"),
    "another log": Case(
        tampering.of_another("example.org/other", None), "FORK",
        "if then.origin != head.origin:", FALSE,
    ),
    "another key": Case(
        tampering.of_another(ORIGIN, Signer(ORIGIN, new_key())), "CHECKPOINT",
        "if not signed:", FALSE,
    ),
    "a link": Case(
        tampering.linked_away, "BUNDLE", "if not path.is_relative_to(self._path):", FALSE
    ),
    # What lies beside the log.
    "a policy": Case(
        of_file("policies/2026-01.toml", lambda text: text.replace("coins = 2", "coins = 3")),
        "POLICY", "if content != entry.fact.toml.encode():", FALSE,
    ),
    "a policy of nobody": Case(
        tampering.never_published, "POLICY", "if name not in self._published:", FALSE
    ),
    "a balance": Case(
        of_file("balances.csv", tampering.richer), "VIEW", "if right != shown:", FALSE
    ),
    "a line twice": Case(
        of_file("balances.csv", tampering.first_line_twice), "BUNDLE",
        "if shown is not None and not before[0] < shown[0]:  # type: ignore[operator]", FALSE,
    ),
    "a board": Case(
        of_file("boards.ndjson", lambda text: text.replace('"coins": ', '"coins": 1', 1)),
        "VIEW", "if right != shown:", FALSE,
    ),
    "a later view": Case(
        of_file("shown.json", tampering.shown_later), "VIEW",
        "if at is not None and at.position > self._last:", FALSE,
    ),
    # What the entries say, all of it signed anew with the true key.
    "a version": Case(
        of_row(REVOKED, originator_version=lambda row: row.originator_version + 1), "VERSION",
        "if row.originator_version != expected:", FALSE,
    ),
    "an unwanted space": Case(
        of_row(REVOKED, state=lambda row: row.state.replace(b":", b": ", 1)), "NOT_CANONICAL",
        "if not _written_here(row.state, facts.encode(fact)):", FALSE,
    ),
    "a name": Case(
        of_row(REVOKED, topic=lambda row: "token.revokes"), "UNKNOWN_FACT",
        'yield found("UNKNOWN_FACT", row.position, repr(row.topic))', "pass",
    ),
    "an id": Case(
        of_row(REVOKED, originator_id=lambda row: "x"), "UNREADABLE",
        'yield found("UNREADABLE", row.position, problem)', "pass",
    ),
    "a type": Case(
        of_row(REVOKED, state=lambda row: b'{"by":5}'), "CORRUPT_FACT",
        'yield found("CORRUPT_FACT", row.position, str(error))', "pass",
    ),
    "an amount": Case(of_fact(AWARD, amount=9), "AWARD_DIFFERS", "if fact != money:", FALSE),
    "conservation": Case(of_fact(AWARD, amount=9), "BALANCE", "if wrong:", FALSE),
    "coins of nobody": Case(
        tampering.another_award(lambda _: uuid4()), "AWARD_UNFOUNDED",
        'code = "AWARD_UNFOUNDED" if _of_award(fact) else "COINS_UNFOUNDED"\n'
        "            yield found(code, entry.position, _said(fact))", "pass",
    ),
    "coins twice": Case(
        tampering.another_award(tampering.own_cause), "AWARD_TWICE",
        "elif isinstance(fact, CoinsAwarded | AwardRefused) and fact.cause in self.settled:",
        "elif False:",
    ),
    "coins elsewhere": Case(
        of_row(AWARD, originator_id=lambda _: str(identity.wallet_id(UUID(int=5)))),
        "OUT_OF_PLACE", "elif entry.originator_id != identity.wallet_id(money.participant_id):",
        "elif False:",
    ),
    "a time": Case(
        of_row(AWARD, recorded_at=lambda row: row.recorded_at + 1), "OUT_OF_PLACE",
        "elif entry.recorded_at != decided.recorded_at:", "elif False:",
    ),
    "an award left out": Case(
        tampering.without(AWARD), "AWARD_MISSING",
        'code = "AWARD_MISSING" if _of_award(money) else "COINS_MISSING"\n'
        "            yield found(code, decided.position + 1, _said(money))\n"
        "            self._keep(decided, money, self.wallet(money.participant_id).version + 1)\n"
        "        self._due, self._lost, self._position = [], False, entry.position",
        "self._due, self._lost, self._position = [], False, entry.position",
    ),
    "a verdict": Case(
        of_fact("patrol.assessed", verdict="rejected"), "VERDICT",
        "if right != (fact.verdict, fact.reasons):", FALSE,
    ),
    "one's own reviewer": Case(
        tampering.by_its_owner, "SELF_REVIEW", "if fact.by in state.hands:", FALSE
    ),
    "a reviewer of no role": Case(
        of_fact("contribution.verified", by=uuid4()), "ACTOR",
        "if fact.by not in self._unreadable and not any(may):", FALSE,
    ),
    "a day": Case(
        of_fact("report.recorded", earned_on=date(2020, 1, 1)), "REWARD_DAY",
        "if not 0 <= (received - fact.earned_on).days <= LATE_DAYS_MAX:", FALSE,
    ),
    "coins expired": Case(
        of_fact("wallet.coins-expired", amount=1_000), "EXPIRY",
        "if not right or entry.originator_id != identity.wallet_id(fact.participant_id):", FALSE,
    ),
    "a held amount": Case(
        of_fact("wallet.coins-held", amount=1), "COINS_DIFFER", "if fact != money:", FALSE
    ),
}  # fmt: skip
