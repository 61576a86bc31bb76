"""The sentence of each fact: who did what to whom, in words, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

import ledger.application  # noqa: F401  (all facts are registered by importing it)
from ledger.awards import RULES
from ledger.contributions import CONTRIBUTIONS
from ledger.facts import catalogue, decode
from ledger.sentences import CODES, said
from ledger.settlement import reason_texts
from ledger.words import WORDS

STORED = Path(__file__).parent / "stored"
SAMPLES = {path.stem: path.read_bytes() for path in sorted(STORED.glob("*.json"))}
ORIGINATOR = UUID("abcdef12-0000-4000-8000-000000000000")
BESIDE_THE_LOG = {"wallet.snapshot-1", "wallet.snapshot-2"}
# A sentence that says neither whose it is nor of what would be no use; these name a place by code.
CODES_OF_OURS = {
    code for table in (*WORDS.values(), *CODES.values()) for code in table if "_" in code
} | {code for code in reason_texts() if "_" in code} | {one.kind for one in CONTRIBUTIONS}
AMOUNTS = ("amount", "coins", "debt")


def sentence(topic: str):
    return decode(topic, SAMPLES[topic]).sentence(ORIGINATOR)


@pytest.mark.parametrize("topic", sorted(set(SAMPLES) - BESIDE_THE_LOG))
def test_a_sentence_names_what_it_is_about(topic):
    """Either its originator, or another id or code of the fact, is in both sentences."""
    fact, told = decode(topic, SAMPLES[topic]), sentence(topic)
    ids = {str(value)[:8] for value in msgspec.structs.asdict(fact).values()
           if isinstance(value, UUID)} | {str(ORIGINATOR)[:8]}  # fmt: skip
    ids |= {str(getattr(fact, name)) for name in ("code", "version", "year") if hasattr(fact, name)}
    for text in (told.zh, told.en):
        assert any(one in text for one in ids)
        assert "None" not in text
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", text)


@pytest.mark.parametrize("topic", sorted(set(SAMPLES) - BESIDE_THE_LOG))
def test_the_chinese_sentence_has_words_for_codes(topic):
    """No code of ours stands in it, and an amount of coins is counted in 枚."""
    fact, told = decode(topic, SAMPLES[topic]), sentence(topic).zh
    for code in CODES_OF_OURS:
        assert not re.search(rf"(?<![A-Za-z_]){re.escape(code)}(?![A-Za-z_])", told)
    if topic.startswith("wallet.") or topic in ("donation.made", "budget.set"):
        for name in AMOUNTS:
            if (value := getattr(fact, name, None)) is not None:
                assert f"{value} 枚" in told


def test_every_rule_has_its_words():
    """Whatever rule an award or a refusal names, the sentence says it in both languages."""
    found = set(RULES)
    for path in (Path(__file__).parents[2] / "ledger").rglob("*.py"):
        found |= set(re.findall(r'"((?:patrol|report|visit|check_in|budget)\.[a-z]+)"',
                                path.read_text()))  # fmt: skip
    found -= set(catalogue())
    found |= {f"{one.kind}.review" for one in CONTRIBUTIONS}
    found |= {f"report.tier-{tier}" for tier in (1, 2, 3)} | {"policy"}
    assert len(found) > 20
    assert found <= set(CODES["rule"])


@pytest.mark.parametrize(
    ("field", "value", "zh", "en"),
    [
        ("by", None, "运维人员", "The operator"),
        ("district", None, "全市", "the whole city"),
        ("district", "*", "全市", "the whole city"),
        ("participant_id", ORIGINATOR, "abcdef12", "abcdef12"),
        ("kind", "check_in", "打卡", "check-in"),
        ("kind", "team", "团队", "team"),
        ("mark", "finish/3/2026-05-20", "走满线路", "the trail finished"),
        ("reasons", (), "", ""),
        ("photos", ("a", "b"), "2", "2"),
        ("policy_version", "", "无", "none"),
    ],
)
def test_a_field_is_said_in_words(field, value, zh, en):
    """Ids by their first digits, codes in words, what is missing by what that means."""
    told = said(field, value)
    assert (told.zh, told.en) == (zh, en)


def test_reasons_are_quoted_as_they_were_told():
    """Each reason stands in the sentence in the words the participant got."""
    text = reason_texts()["cap_day"]
    told = said("reasons", ("cap_day", "too_fast"))
    assert f"“{text.zh}”" in told.zh
    assert f"“{text.en}”" in told.en
    assert told.zh.count("“") == 2


def test_one_coin_is_no_plural():
    """English says 1 coin, and 21 coins."""
    spent = decode("wallet.coins-spent", SAMPLES["wallet.coins-spent"])
    for amount, words in ((1, " 1 coin on"), (21, " 21 coins on")):
        assert words in msgspec.structs.replace(spent, amount=amount).sentence(ORIGINATOR).en
