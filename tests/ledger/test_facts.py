"""Stored facts are for ever: their names, their bytes, their sentences."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

import ledger.application  # noqa: F401  (all facts are registered by importing it)
from ledger.errors import CorruptFact, UnknownFact
from ledger.facts import Fact, catalogue, decode, encode, stored_as

STORED = Path(__file__).parent / "stored"
SAMPLES = sorted(STORED.glob("*.json"))


def test_every_fact_ever_stored_has_a_sample():
    """A new fact comes with a golden file, and no file is left without its fact."""
    assert [path.stem for path in SAMPLES] == list(catalogue())
    assert len(SAMPLES) >= 19


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_old_bytes_load_for_ever(path):
    """A stored sample is read by today's class; what today writes is the same bytes or longer."""
    state = path.read_bytes().rstrip(b"\n")
    fact = decode(path.stem, state)
    old, new = msgspec.json.decode(state), msgspec.json.decode(encode(fact))
    assert {key: new[key] for key in old} == old
    assert list(new)[: len(old)] == list(old)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_fact_has_a_sentence_in_both_languages(path):
    """An auditor reads what happened in Chinese and in English, with every value filled in."""
    sentence = decode(path.stem, path.read_bytes()).sentence()
    assert sentence.zh
    assert sentence.en
    assert "{" not in sentence.zh + sentence.en


def test_a_stored_name_is_given_once():
    """A second fact cannot take a name that history already uses."""
    with pytest.raises(ValueError, match=r"wallet\.coins-awarded"):

        @stored_as("wallet.coins-awarded", zh="", en="")
        class Forged(Fact, frozen=True):
            pass


def test_an_unknown_or_broken_state_is_named():
    """What cannot be read is an error of its own kind, never a guess."""
    with pytest.raises(UnknownFact):
        decode("wallet.minted", b"{}")
    for broken in (b"", b"{", b"[]", b"{}", b'{"amount": "5"}', b"\xff"):
        with pytest.raises(CorruptFact):
            decode("wallet.coins-awarded", broken)


def test_a_fact_refuses_fields_it_does_not_know():
    """Nothing can be smuggled into history beside the fields that are declared."""
    state = (STORED / "token.revoked.json").read_bytes()
    with pytest.raises(CorruptFact):
        decode("token.revoked", state.replace(b"}", b',"extra":1}'))
