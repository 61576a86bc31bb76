"""Mutants of the verifier: with a check taken out, what it is there for goes unnoticed."""

from __future__ import annotations

import json

import pytest

from ledger.audit.findings import CODES
from tests.ledger.verifier.cases import CASES

UNCAPPED = "limits = [\n        (f\"cap_{claim.kind}\","
CAPS = "yield from self._caps(entry, money)"
# Codes that none of the CASES provokes, and why.
OTHERS = {
    "CAP_EXCEEDED": "only where the rule fails that applies the caps; its mutants are below",
    "QUOTA": "what the store keeps as used is not in a bundle", "SNAPSHOT": "nor are snapshots",
    "VAULT": "nor is the vault", "PUBLISHED": "the rows of a bundle are the published ones",
    "HEAD": "the head of the log is the service's own",
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_check_is_needed(name, bundle, forger, found, verify):
    """The verifier finds it; one in which the check was taken out does not."""
    case = CASES[name]
    kept = case.tamper(forger)
    older = () if kept is None else (kept,)
    assert case.code in {one.code for one in found(*older)}
    text = verify.program.read_text()
    assert case.line in text
    verify.program.write_text(text.replace(case.line, case.mutant))
    (bundle.parent / "older").write_bytes(kept or b"")
    words = ("--checkpoint", bundle.parent / "older") if kept else ()
    told = json.loads("\n".join(verify("--json", *words)))
    assert case.code not in {one["code"] for one in told}, told


def test_every_code_is_provoked():
    """No finding a bundle can lead to is without a case."""
    provoked = {case.code for case in CASES.values()}
    assert provoked.isdisjoint(OTHERS)
    assert provoked | OTHERS.keys() == set(CODES)


def test_caps_are_counted_without_the_rule_that_applies_them(bundle, verify):
    """A verifier whose rule forgets the caps says so of every award they had cut."""
    text = verify.program.read_text()
    assert text.count(UNCAPPED) == text.count(CAPS) == 1
    text = text.replace(UNCAPPED, f"return coins, ()\n    {UNCAPPED}")
    for line, codes in ((CAPS, {"CAP_EXCEEDED"}), ("pass", set())):
        verify.program.write_text(text.replace(CAPS, line))
        told = {line.split()[0] for line in verify(status=1)}
        assert told & {"CAP_EXCEEDED"} == codes
