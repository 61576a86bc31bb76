"""Ways to tamper with a bundle, each with what is found, and with the check it is found by."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from ledger import identity
from ledger.transparency.signing import Signer, new_key
from tests.ledger.examples import NOW
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
        tampering.linked_away, "BUNDLE", "if path.resolve() != path:", FALSE
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
    "a number in another spelling": Case(
        of_file("balances.csv", tampering.spelled_otherwise), "BUNDLE", "if text != right:", FALSE
    ),
    "boards not shown": Case(
        of_file("shown.json", tampering.without_boards), "BUNDLE",
        "    balances: OfDay\n    boards: AsOf\n",
        "    balances: OfDay\n    boards: AsOf = AsOf(position=0)\n",
    ),
    "a later view": Case(
        of_file("shown.json", tampering.shown_later), "VIEW",
        "if at is not None and at.position > self._size:", FALSE,
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
    "an id in other letters": Case(
        of_row(REVOKED, originator_id=lambda row: row.originator_id.upper()), "UNREADABLE",
        "return found if str(found) == row.originator_id else None", "return found",
    ),
    "a position": Case(
        tampering.numbered_wrong, "POSITION",
        'self._tell(found("POSITION", position, f"{position} → {row.position}"))', "pass",
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
    "a policy in hindsight": Case(
        tampering.back_dated, "POLICY", "if latest and latest >= fact.effective_from:", FALSE
    ),
    "room in a budget": Case(
        of_fact("budget.set", coins=10**6), "BUDGET",
        "if not budgets.exceeds(self.used, self.book.budgets, money):", FALSE,
    ),
    "a budget spent": Case(
        tampering.no_budget_raised, "BUDGET",
        "elif isinstance(money, CoinsAwarded) and fact == money and budgets.exceeds(\n"
        "            self.used, self.book.budgets, money\n        ):", "elif False:",
    ),
    "a movement left out": Case(
        tampering.without("wallet.coins-held"), "COINS_MISSING",
        'code = "AWARD_MISSING" if _of_award(money) else "COINS_MISSING"\n'
        "            yield found(code, decided.position + 1, _said(money))\n"
        "            self._keep(decided, money, self.wallet(money.participant_id).version + 1)\n"
        "        self._due, self._lost, self._position = [], False, entry.position",
        "self._due, self._lost, self._position = [], False, entry.position",
    ),
    "a hold of nothing": Case(
        tampering.again("wallet.coins-held"), "COINS_UNFOUNDED",
        'code = "AWARD_UNFOUNDED" if _of_award(fact) else "COINS_UNFOUNDED"\n'
        "            yield found(code, entry.position, _said(fact))", "pass",
    ),
    "a hold for years": Case(
        tampering.years_later, "HOLD",
        "if self._today is not None and known.overdue(self._today - GRACE):", FALSE,
    ),
    "a price": Case(
        of_fact("redemption.requested", price=1), "REDEMPTION",
        "if (fact.price, fact.coins) != (terms.price, terms.price * fact.quantity):", FALSE,
    ),
    "a lot": Case(
        of_fact("reversal.proposed", lot=999), "REVERSAL",
        "if not possible or not fits or twice:", FALSE,
    ),
    "a gift of nothing": Case(
        of_fact("donation.made", coins=10**6), "ACCOUNT",
        "if not known or not 0 < fact.coins <= wallet.available(today):", FALSE,
    ),
    "a pause": Case(
        of_fact("trail.paused", at=NOW - timedelta(days=9)), "TRAIL",
        "if not (fits and at_once):", FALSE,
    ),
    "an offer elsewhere": Case(
        of_row("offer.repriced", originator_id=lambda _: str(UUID(int=5))), "OFFER",
        "if entry.originator_id != identity.CATALOGUE or published == known:", FALSE,
    ),
    "a credit": Case(
        of_fact("contribution.credited", mark="x"), "CREDIT",
        "if fact != credited or entry.originator_id != shared:", FALSE,
    ),
    "a frame": Case(
        of_fact("campaign.opened", households=11), "CAMPAIGN",
        "if isinstance(fact, CampaignOpened) and not listed <= fact.households <= most:", FALSE,
    ),
    "a household": Case(
        of_row("campaign.household-listed", originator_id=lambda _: str(UUID(int=5))), "FRAME",
        'if campaign.state != "planned" or entry.originator_id != right or right in self._doors:',
        FALSE,
    ),
    "a grid": Case(
        of_fact("campaign.household-listed", districts=["1", "2"]), "FRAME",
        "or fact.districts != tree.path(fact.grid)", "or False",
    ),
    "an edit": Case(
        of_fact("visit.edited", base=99), "VISIT",
        "if not {fact.base, *fact.chain} <= set(versions):", FALSE,
    ),
    "a reason to erase": Case(
        of_fact("erasure.requested", basis="x"), "ERASURE",
        "if fact.staff != staff or fact.basis not in BASES:", FALSE,
    ),
    "a held amount": Case(
        of_fact("wallet.coins-held", amount=1), "COINS_DIFFER", "if fact != money:", FALSE
    ),
}  # fmt: skip
