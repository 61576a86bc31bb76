"""Reward policy: data with versions and dates, strict to read, never rewritten behind awards."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ledger.errors import InvalidPolicy, PolicyBackdated, PolicyConflict
from ledger.policy import PolicyBook, PolicyPublished
from ledger.settlement import default_policy, parsed, policy_for, reason_text
from tests.ledger.examples import NOW, a_reach, a_walk, contribute, someone


def policy(version, effective_from, extra=""):
    text = default_policy().replace('version = "2026-01"', f'version = "{version}"')
    return text.replace("2020-01-01", effective_from) + extra


def test_the_default_is_the_published_numbers():
    """Patrol 2 + 1 per 100 m from 20 min and 500 m, at most 10; report 10 x 1/3/5; 45 and 1,350."""
    default = parsed(default_policy())
    patrol, report = default.kinds["patrol"], default.kinds["report"]
    assert (patrol.min_minutes, patrol.min_metres, patrol.coins) == (20, 500, 2)
    assert (patrol.metres_per_extra_coin, patrol.day_max) == (100, 10)
    assert (report.coins, report.tiers) == (10, (1, 3, 5))
    assert (default.caps.day, default.caps.month) == (45, 1350)
    assert not default.role("village_chief").eligible
    assert not default.role("auditor").eligible
    assert "login = 0" in default_policy()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("day = 45", "day = 45.5"), "caps"),
        (("day = 45", "day = -1"), "caps"),
        (("day = 45\n", ""), "caps"),
        (("[patrol]", "[patroll]"), "patroll"),
        (("min_minutes", "min_minuets"), "patrol"),
        (("eligible = true", 'eligible = "yes"'), "roles"),
        (("2020-01-01", '"soon"'), "effective_from"),
        (('version = "2026-01"\n', ""), "version"),
        (("[caps]", "[caps"), "TOML"),
        (("login = 0", "login = 5"), "activity"),
        (("[roles.citizen]", "[roles.citzen]"), "citzen"),
        (('duty = ["patrol"]', 'duty = ["patroll"]'), "patroll"),
        (('"by_phone"', '"by_fone"'), "visit"),
        (("tiers = [1, 3, 5]", "tiers = [1]"), "report"),
    ],
)
def test_a_wrong_policy_file_is_refused_with_its_place(change, named):
    """Every mistake names the table or key it is in."""
    with pytest.raises(InvalidPolicy) as caught:
        parsed(default_policy().replace(*change))
    assert named in caught.value.sentence_en


def test_a_version_is_published_once(ledger):
    """The same file again changes nothing; other content under the same name is refused."""
    head = ledger.head()
    ledger.publish_policy(default_policy(), None, NOW)
    assert ledger.head() == head
    with pytest.raises(PolicyConflict):
        ledger.publish_policy(default_policy() + "\n# more", None, NOW)


def test_a_policy_takes_effect_on_its_day(ledger):
    """Awards of the day before keep the old version, those of the day itself name the new one."""
    ledger.import_reaches([a_reach()], NOW)
    tomorrow = NOW + timedelta(days=1)
    text = policy("2026-02", "2026-05-21").replace("coins = 2\nmetres", "coins = 5\nmetres")
    ledger.publish_policy(text, None, NOW)
    today = contribute(ledger, "patrol", someone(ledger), a_walk(500, 1500, NOW))
    later = contribute(
        ledger, "patrol", someone(ledger), a_walk(500, 1500, tomorrow, offset_m=20), tomorrow
    )
    assert [(one.policy_version, one.coins) for one in (today, later)] == [
        ("2026-01", 2), ("2026-02", 5),
    ]  # fmt: skip


def test_a_policy_is_never_slipped_behind_an_award(ledger):
    """Back-dating is refused from the first award it would touch on, and allowed before it."""
    ledger.import_reaches([a_reach()], NOW)
    ledger.publish_policy(policy("early", "2026-05-01"), None, NOW)
    contribute(ledger, "patrol", someone(ledger), a_walk(700, 1500, NOW))
    with pytest.raises(PolicyBackdated):
        ledger.publish_policy(policy("late", "2026-05-20"), None, NOW)
    ledger.publish_policy(policy("next", "2026-05-21"), None, NOW)


def test_of_equal_dates_the_later_publication_counts():
    """A correction published before the day replaces what it corrects."""
    day = date(2026, 1, 1)
    book = PolicyBook().with_facts(
        [
            PolicyPublished(version=name, effective_from=day, toml=policy(name, "2026-01-01"))
            for name in ("a", "b")
        ]
    )
    assert policy_for(book, date(2026, 1, 1)).version == "b"
    assert policy_for(book, date(2025, 12, 31)) is None


def test_every_reason_has_sentences():
    """A code shown to a person is never shown alone."""
    for code in ("too_short", "cap_day", "cap_patrol", "no_policy", "no_river_map", "too_old"):
        text = reason_text(code)
        assert code not in (text.zh, text.en)
