"""``gwc token``: issuing, in each form of output, and revoking."""

from __future__ import annotations

import csv
import json
from uuid import UUID, uuid4


def test_a_token_is_printed_alone_so_a_shell_can_take_it(gwc):
    """Without an option stdout is the token and nothing else; the id is a remark."""
    ran = gwc.run("token", "issue", "--role", "citizen", "--lang", "en")
    assert len(ran.stdout.split()) == 1
    assert ran.stderr.startswith("participant ")


def test_json_has_the_agreed_names(gwc):
    """--json is one object of token, participant_id, role and district."""
    issued = json.loads(gwc("token", "issue", "--role", "auditor", "--json"))
    assert set(issued) == {"token", "participant_id", "role", "district"}
    assert (issued["role"], issued["district"]) == ("auditor", None)
    assert UUID(issued["participant_id"])


def test_many_tokens_are_a_table_of_different_people(gwc):
    """--count with --csv gives so many tokens, each of another participant."""
    rows = list(csv.DictReader(gwc(
        "token", "issue", "--role", "citizen", "--count", 30, "--csv").splitlines()))  # fmt: skip
    assert list(rows[0]) == ["token", "participant_id", "role", "district"]
    assert len({row["token"] for row in rows}) == len({r["participant_id"] for r in rows}) == 30


def test_a_token_for_somebody_who_is_there(gwc):
    """--participant adds a role to a known person and refuses an unknown one."""
    first = json.loads(gwc("token", "issue", "--role", "citizen", "--json"))
    again = json.loads(gwc("token", "issue", "--role", "dispatcher", "--json",
                           "--participant", first["participant_id"]))  # fmt: skip
    assert again["participant_id"] == first["participant_id"]
    stranger = uuid4()
    refused = gwc.run("token", "issue", "--role", "citizen", "--participant", stranger, status=1)
    assert refused.stderr == f"not_found: 没有参与者 {stranger}，请先登记。\n"


def test_an_unknown_district_is_refused_once_districts_are_known(gwc):
    """Where districts were imported, a token's district must be one of them."""
    (gwc.folder / "d.csv").write_text("code,name,parent,kind\n1,市,,city\n")
    gwc("import", "districts", "d.csv")
    issued = json.loads(gwc("token", "issue", "--role", "citizen", "--district", "1", "--json"))
    assert issued["district"] == "1"
    refused = gwc.run("token", "issue", "--role", "citizen", "--district", "2", status=1)
    assert refused.stderr.startswith("unknown_district: ")


def test_a_revoked_token_is_known_as_such_and_an_unknown_one_is_refused(gwc):
    """Revoking works twice with the same end; what nobody issued is status 1, dash or not."""
    token = gwc("token", "issue", "--role", "citizen").strip()
    gwc("token", "revoke", token)
    gwc("token", "revoke", token)
    history = gwc("export", "history", "--out", "-")
    assert history.count('"token.revoked"') == 1
    assert token not in history
    for unknown in (token[:-1], f"-{token}", f"--{token}", f"-h{token}", f"-bh{token}"):
        refused = gwc.run("token", "revoke", unknown, "--lang", "en", status=1).stderr
        assert refused == "not_found: There is no such token.\n"
