"""``gwc policy``: what show prints, publish takes."""

from __future__ import annotations

from ledger.settlement import default_policy


def test_a_policy_goes_out_and_in_unchanged(gwc):
    """What was published is shown byte for byte; published again it changes nothing."""
    shown = default_policy()
    (gwc.folder / "p.toml").write_text(shown)
    for _ in range(2):
        gwc("policy", "publish", "p.toml")
    assert gwc("policy", "show") == shown
    assert gwc("export", "history", "--out", "-").count('"policy.published"') == 1


def test_a_new_version_is_in_force_from_its_date(gwc):
    """--as-of shows the version of that day; before the first there is none, with status 1."""
    gwc("token", "issue", "--role", "citizen")
    shown = gwc("policy", "show")
    assert shown == default_policy()
    later = shown.replace('"2026-01"', '"2099-01"').replace("2020-01-01", "2099-01-01")
    (gwc.folder / "p.toml").write_text(later)
    gwc("policy", "publish", "p.toml")
    assert gwc("policy", "show") == shown
    assert gwc("policy", "show", "--as-of", "2099-01-01") == later
    refused = gwc.run("policy", "show", "--as-of", "2019-12-31", status=1)
    assert refused.stderr.startswith("no_policy: ")


def test_a_wrong_policy_is_refused_with_what_is_wrong(gwc):
    """An unknown key, and another text under a version that exists, are status 1."""
    shown = default_policy()
    (gwc.folder / "p.toml").write_text(shown)
    gwc("policy", "publish", "p.toml")
    (gwc.folder / "p.toml").write_text(shown + "\n[picnic]\ncoins = 1\n")
    refused = gwc.run("policy", "publish", "p.toml", status=1)
    assert refused.stderr.startswith("invalid_policy: ")
    assert "picnic" in refused.stderr
    (gwc.folder / "p.toml").write_text(shown.replace("day = 45", "day = 46"))
    refused = gwc.run("policy", "publish", "p.toml", status=1)
    assert refused.stderr.startswith("policy_conflict: ")
