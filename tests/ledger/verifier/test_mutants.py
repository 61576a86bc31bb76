"""Mutants of the verifier: with a check taken out, what it is there for goes unnoticed."""

from __future__ import annotations

import json

import pytest

from tests.ledger.verifier.cases import CASES


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
