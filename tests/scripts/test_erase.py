"""``gwc erase`` and ``gwc hold``: what they do, print and refuse at the terminal."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from ledger.words import FIELDS
from tests.scripts.conftest import Gwc


@pytest.fixture
def person(gwc: Gwc) -> str:
    return someone(gwc)


def someone(gwc: Gwc, role: str = "citizen") -> str:
    """A new participant with a token of the role."""
    return json.loads(gwc("token", "issue", "--role", role, "--json"))["participant_id"]


def refused(gwc: Gwc, *words: object, status: int = 1) -> str:
    """The code of the refusal: the last line on stderr begins with it."""
    return gwc.run(*words, status=status).stderr.splitlines()[-1].partition(":")[0]


def test_somebody_is_erased_step_by_step(gwc, person):
    """Each step is told on stderr, the counts on stdout; the audit is green and says so."""
    ran = gwc.run("erase", person, "--lang", "en")
    steps = ran.stderr.splitlines()
    assert steps[0].startswith("fenced")
    assert steps[-1] == "completed"
    assert len(steps) == 6
    assert ran.stdout == "position 8: 1 keys, 0 rows (0 photos), 1 tokens\n"
    audit = gwc.run("audit", "--lang", "en")
    assert "Erased on request: 1 subjects, at 8." in audit.stderr
    assert refused(gwc, "erase", person) == "already_erased"


def test_the_answer_can_be_read_by_a_program(gwc, person):
    """As JSON: the state and the counts."""
    told = json.loads(gwc("erase", person, "--yes", "--json"))
    assert (told["subject"], told["state"], told["keys"], told["tokens"]) == (
        person, "completed", 1, 1
    )  # fmt: skip
    assert list(told) == ["id", "subject", "state", "position", "keys", "rows", "photos",
                          "tokens", "kept"]  # fmt: skip
    assert json.loads(gwc("erase", "--pending", "--json")) == []


def test_nobody_and_wrong_words_are_refused(gwc, person):
    """Of one who is not there nothing is recorded; without a subject, or with two, it is misuse."""
    before = gwc("export", "history", "--out", "-")
    assert refused(gwc, "erase", uuid4()) == "unknown_subject"
    assert refused(gwc, "erase", "--household", "H-1") == "unknown_subject"
    assert refused(gwc, "erase", status=2) == "usage"
    assert refused(gwc, "erase", person, "--household", "H-1", status=2) == "usage"
    assert refused(gwc, "erase", person, "--approve", status=2) == "usage"
    assert refused(gwc, "erase", person, "--by", someone(gwc, "merchant")) == "forbidden"
    after = gwc("export", "history", "--out", "-")
    assert len(after.splitlines()) == len(before.splitlines()) + 2  # the merchant


@pytest.mark.parametrize("words", [
    ("erase", uuid4()), ("erase", "--pending"), ("hold", "place", uuid4()), ("hold", "list"),
    ("hold", "lift", uuid4()),
])  # fmt: skip
def test_a_wrong_path_makes_no_database(words, gwc):
    """Nothing is erased from, or held in, a database that is made for it."""
    assert refused(gwc, *words, status=2) == "no_database"
    assert list(gwc.folder.iterdir()) == []


def test_staff_take_a_second_person(gwc):
    """The operator asks, an approver says yes; nobody approves what is their own."""
    approver, second = someone(gwc, "approver"), someone(gwc, "approver")
    assert refused(gwc, "erase", approver) == "approval_needed"
    assert [one["state"] for one in json.loads(gwc("erase", "--pending", "--json"))] == [
        "requested"
    ]
    assert refused(gwc, "erase", approver) == "approval_needed"
    assert refused(gwc, "erase", approver, "--approve", "--by", approver) == "self_approval"
    citizen = someone(gwc)
    assert refused(gwc, "erase", approver, "--approve", "--by", citizen) == "forbidden"
    done = json.loads(gwc("erase", approver, "--approve", "--by", second, "--json"))
    assert done["state"] == "completed"
    assert gwc.run("audit").returncode == 0


def test_a_hold_is_in_the_way(gwc, person):
    """Placed, listed and lifted; what waited for it is then done."""
    hold = gwc("hold", "place", person, "--basis", "audit").strip()
    (listed,) = json.loads(gwc("hold", "list", "--json"))
    assert (listed["hold_id"], listed["subject"], listed["basis"], listed["fields"]) == (
        hold, person, "audit", []
    )  # fmt: skip
    assert refused(gwc, "erase", person) == "held"
    assert refused(gwc, "erase", person) == "held"
    told = gwc.run("hold", "lift", hold, "--lang", "en").stderr
    assert f"the erasure of {person}: completed" in told
    assert json.loads(gwc("hold", "list", "--json")) == []
    assert refused(gwc, "hold", "lift", hold) == "hold_over"
    assert refused(gwc, "hold", "lift", uuid4()) == "not_found"
    assert gwc.run("audit").returncode == 0


def test_the_basis_of_a_hold_is_read_with_the_vault_alone(gwc, person):
    """The log does not say it, the list does; also of one that was lifted, its subject erased."""
    hold = gwc("hold", "place", person, "--basis", "investigation").strip()
    assert "investigation" not in gwc("export", "history", "--out", "-")
    (listed,) = json.loads(gwc("hold", "list", "--json"))
    assert (listed["basis"], listed["lifted"]) == ("investigation", False)
    gwc("hold", "lift", hold)
    gwc("erase", person)
    assert json.loads(gwc("hold", "list", "--json")) == []
    (listed,) = json.loads(gwc("hold", "list", "--all", "--json"))
    assert (listed["basis"], listed["lifted"]) == ("investigation", True)
    assert "an investigation" in gwc("hold", "list", "--all", "--lang", "en")
    assert gwc.run("audit").returncode == 0


@pytest.mark.parametrize("field", ["nmae", "BAD NAME", ""])
def test_a_hold_on_a_field_that_does_not_exist_is_misuse(field, gwc, person):
    """Status 2 with the fields there are, which the help names too; nothing is held."""
    told = gwc.run("hold", "place", person, "--field", field, status=2).stderr
    helped = gwc("hold", "place", "--help")
    for name, words in FIELDS.items():
        assert name in told
        assert f"{name} {words.zh}" in " ".join(helped.split())
    assert json.loads(gwc("hold", "list", "--json")) == []
