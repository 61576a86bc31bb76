"""Voucher codes: unguessable, forgiving of how they are typed, and never stored."""

from __future__ import annotations

import re
from uuid import uuid4

from ledger.codes import digest_of
from ledger.facts import encode
from ledger.spending.vouchers import voucher_of
from tests.ledger.examples import an_offer, redeem, rewarded, someone

KEY = bytes(range(32))


def test_a_code_is_the_same_again_for_its_redemption_alone():
    """The server's key and the redemption give the code; another of either gives another."""
    one, other = uuid4(), uuid4()
    code = voucher_of(KEY, one)
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code)
    assert code == voucher_of(KEY, one)
    assert len({code, voucher_of(KEY, other), voucher_of(bytes(32), one)}) == 3


def test_codes_fill_all_of_their_space():
    """A thousand codes differ, and every letter stands in every place."""
    codes = {voucher_of(KEY, uuid4()).replace("-", "") for _ in range(1000)}
    assert len(codes) == 1000
    assert all(len({code[place] for code in codes}) == 32 for place in range(16))


def test_a_code_is_known_however_it_was_typed():
    """Small letters, spaces, and the letters people mistake for digits do not matter."""
    assert digest_of("7q3m xk2p 9dov tb4h") == digest_of("7Q3M-XK2P-9D0V-TB4H")
    assert digest_of("IL0O") == digest_of("1100")
    assert digest_of("7Q3M") != digest_of("7Q3N")


def test_the_log_holds_no_code(ledger):
    """Neither the facts nor any other table's text has the code in it."""
    person, officer = rewarded(ledger, 10), someone(ledger, "reward_officer")
    receipt = redeem(ledger, person, an_offer(ledger, officer))
    assert receipt.voucher
    plain = receipt.voucher.replace("-", "").encode()
    states = b"".join(encode(entry.fact) for entry in ledger.entries())
    assert plain not in states
    assert receipt.voucher.encode() not in states
