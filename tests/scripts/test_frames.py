"""``gwc import households``: the frame of a campaign, its bad rows one by one."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from api.config import Settings
from api.services import open_services
from ledger.campaigns.campaign import Plan
from ledger.campaigns.frame import Door, door_id
from ledger.participants import Actor
from scripts.sheets import LINE_BYTES_MAX, Sheet

NOW = datetime.now(UTC)


@pytest.fixture
def opened(gwc):
    """The services of the command's own database."""
    gwc("token", "issue", "--role", "citizen")
    settings = Settings.from_env({"GWC_DATABASE_URL": f"sqlite:///{gwc.folder / 'gwc.db'}"})
    services = open_services(settings)
    yield services
    services.close()


@pytest.fixture
def campaign(gwc, opened):
    """A planned campaign, whose id a command is given."""
    told = json.loads(gwc("token", "issue", "--role", "dispatcher", "--json"))
    actor = opened.ledger.authenticate(told["token"])
    assert isinstance(actor, Actor)
    return opened.ledger.plan_campaign(actor, Plan(name="走访"), {}, uuid4(), NOW), actor


def test_a_frame_is_imported_with_a_line_for_every_bad_row(gwc, campaign, opened):
    """Good rows go in, each bad one says where and why; a second time nothing is new."""
    receipt, _ = campaign
    gwc.folder.joinpath("districts.csv").write_text(
        "code,name,parent,kind\n1,市,,city\n11,格,1,grid\n2,邻,,city\n", "utf-8"
    )
    gwc("import", "districts", "districts.csv")
    gwc.folder.joinpath("frame.csv").write_text(
        "household,grid,address,note\n"
        "H1,11,滨河路 1 号,x\nH2,11,,x\n"
        "王家,11,,x\n13800138000,11,,x\nH3,99,,x\nH4,,,x\nH1,11,,x\nH5,11,a,b,c\n"
        'H6,"11,某路 6 号,x\nH7,1,,x\n' + f"H8,11,{'a' * 200_000},x\n",
        "utf-8",
    )
    with gwc.folder.joinpath("frame.csv").open("ab") as file:
        file.write("H9,11,青年路,x\n".encode("gbk"))
    frame = ("import", "households", "frame.csv", "--campaign", str(receipt.id), "--lang", "en")
    printed = gwc(*frame, status=1).splitlines()
    assert [line.split(": ")[0] for line in printed[:-1]] == [
        "4 王家\tmalformed_household", "5 -\tpersonal_number",
        "6 H3\tunknown_district", "7 H4\tmissing_value", "8 H1\tduplicate",
        "9 -\tmalformed_row", "10 -\tmalformed_row",
        "11 H7\tnot_a_grid", "12 -\tmalformed_row", "13 -\tmalformed_row",
    ]  # fmt: skip
    assert "某路" not in "".join(printed)
    assert printed[-1] == "12 read, 2 new, 10 refused."
    assert gwc(*frame, status=1).splitlines()[-1] == "12 read, 0 new, 10 refused."
    door = opened.ledger.fold(door_id(receipt.id, "H1"), Door()).listed
    assert door is not None
    assert (door.grid, door.districts) == ("11", ("11", "1"))
    assert opened.ledger.address_of(receipt.id, "H1") == "滨河路 1 号"
    assert opened.ledger.address_of(receipt.id, "H2") is None


def test_a_frame_that_cannot_be_is_refused_whole(gwc, campaign, opened):
    """No such campaign, one that is open, missing columns, bytes that are no UTF-8: one line."""
    receipt, actor = campaign
    file = gwc.folder / "frame.csv"
    for content, code in (
        (b"household\nH1\n", "missing_column"), (b"\xff\xfehousehold,grid\nH1,1\n", "not_csv"),
    ):  # fmt: skip
        file.write_bytes(content)
        ran = gwc.run("import", "households", file, "--campaign", str(receipt.id), status=1)
        assert ran.stderr.startswith(f"{code}: ")
    file.write_text("household,grid\nH1,G1\n")
    for campaign_id, code in ((uuid4(), "unknown_campaign"), (receipt.id, "frame_frozen")):
        if code == "frame_frozen":
            gwc("import", "households", file, "--campaign", str(receipt.id))
            opened.ledger.open_campaign(actor, receipt.id, {}, uuid4(), NOW)
        ran = gwc.run("import", "households", file, "--campaign", str(campaign_id), status=1)
        assert ran.stderr.startswith(f"{code}: ")


def test_a_frame_stays_in_the_campaigns_district(gwc, opened):
    """A grid of another district is refused, and so is a place that has grids below it."""
    rows = "code,name,parent,kind\n1,市,,city\n11,镇,1,town\n111,格,11,grid\n12,镇,1,town\n"
    gwc.folder.joinpath("districts.csv").write_text(rows, "utf-8")
    gwc("import", "districts", "districts.csv")
    token = json.loads(
        gwc("token", "issue", "--role", "dispatcher", "--district", "12", "--json")
    )["token"]
    actor = opened.ledger.authenticate(token)
    assert isinstance(actor, Actor)
    plan = opened.ledger.plan_campaign(actor, Plan(name="走访"), {}, uuid4(), NOW)
    gwc.folder.joinpath("frame.csv").write_text("household,grid\nA,111\nB,12\nC,11\n")
    printed = gwc("import", "households", "frame.csv", "--campaign", str(plan.id), status=1)
    assert [line.split(": ")[0] for line in printed.splitlines()[:-1]] == [
        "2 A\toutside_campaign", "4 C\tnot_a_grid",
    ]  # fmt: skip


def lines_of(gwc, campaign, content: bytes | str, status: int, *words: str) -> list[str]:
    """What importing a file prints."""
    data = content.encode() if isinstance(content, str) else content
    gwc.folder.joinpath("frame.csv").write_bytes(data)
    named = ("--campaign", str(campaign[0].id), "--lang", "en", *words)
    return gwc("import", "households", "frame.csv", *named, status=status).splitlines()


def test_what_a_spreadsheet_writes_is_read(gwc, campaign, opened):
    """A byte order mark, blanks in the header, empty rows, line breaks in cells lose nothing."""
    table = (
        '\ufeff"household" , grid, address\r\nA,G1,"滨河路\r\n1 号"\r\n,,\r\n,\r\n\r\n'
        'B,G1,"open\r\nC,G1,x\r\n"D\r\nd",G1,x\r\n E , G1 ,x\r\n'
    )
    assert [line.split(":")[0] for line in lines_of(gwc, campaign, table, 1)] == [
        "7 -\tmalformed_row", "9 -\tmalformed_row", "10 -\tmalformed_row",
        "6 read, 3 new, 3 refused.",
    ]  # fmt: skip
    address = opened.ledger.address_of
    assert [address(campaign[0].id, one) for one in "ACE"] == ["滨河路 1 号", "x", "x"]


def test_a_table_that_is_none_is_refused_at_once(gwc, campaign, opened):
    """GBK, and a column that stands there twice, are one line, before anything is recorded."""
    gbk = "household,grid,address\nA,G1,a\nB,G1,滨河路\nC,G1,滨河路\n".encode("gbk")
    twice = b"household,grid,grid\nA,G1,G2\n"
    for content, code in ((gbk, "not_csv"), (twice, "duplicate_column")):
        gwc.folder.joinpath("frame.csv").write_bytes(content)
        words = ("--campaign", str(campaign[0].id), "--lang", "en")
        ran = gwc.run("import", "households", "frame.csv", *words, status=1)
        assert ran.stderr.startswith(f"{code}: ")
        assert ("CSV UTF-8" in ran.stderr) == (code == "not_csv")
        assert ran.stdout == ""
    assert opened.ledger.households_listed(campaign[0].id) == 0


def test_what_is_in_the_frame_otherwise_is_told(gwc, campaign, opened):
    """A second file that has a household elsewhere, or at another address, changes nothing."""
    lines_of(gwc, campaign, "household,grid,address\nA,G1,one\nB,G1,two\n", 0)
    table = "household,grid,address\nA,G2,three\nB,G1,two\nC,G1,four\n"
    printed = lines_of(gwc, campaign, table, 1)
    assert [line.split(":")[0] for line in printed] == [
        "2 A\tlisted_in_other_grid", "2 A\tlisted_with_other_address",
        "3 read, 1 new, 0 refused, 1 listed otherwise.",
    ]  # fmt: skip
    assert opened.ledger.address_of(campaign[0].id, "A") == "one"
    objects = [json.loads(line) for line in lines_of(gwc, campaign, table, 1, "--json")]
    assert [one.get("code") for one in objects] == [
        "listed_in_other_grid", "listed_with_other_address", None
    ]  # fmt: skip
    assert objects[-1] == {"read": 3, "new": 0, "refused": 0, "otherwise": 1}


def test_an_address_that_is_not_kept_is_told(gwc, campaign, opened):
    """Of a household that was erased a line says so, in a new frame and in one it was in before."""
    lines_of(gwc, campaign, "household,grid,address\nA,G1,one\nB,G1,two\n", 0)
    step = gwc.run("erase", "--household", "A", "--lang", "en").stderr.splitlines()[0]
    assert step == "fenced: all that was kept until now is to go"
    plan = opened.ledger.plan_campaign(campaign[1], Plan(name="再访"), {}, uuid4(), NOW)
    table = "household,grid,address\nA,G1,one\nB,G1,two\nC,G1,\n"
    for one, new in ((campaign, 1), ((plan, campaign[1]), 3), ((plan, campaign[1]), 0)):
        assert [line.split(":")[0] for line in lines_of(gwc, one, table, 1)] == [
            "2 A\thousehold_erased", f"3 read, {new} new, 0 refused, 1 listed otherwise.",
        ]  # fmt: skip
    assert opened.ledger.address_of(plan.id, "A") is None
    assert lines_of(gwc, (plan, campaign[1]), "household,grid\nA,G1\n", 0) == [
        "1 read, 0 new, 0 refused."
    ]


def test_a_cell_without_end_costs_no_memory(tmp_path):
    """Of a line longer than any row nothing is kept, and the row behind it is read."""
    file = tmp_path / "frame.csv"
    with file.open("wb") as content:
        content.write(b"household,grid,address\nA,G1,")
        content.writelines(b"x" * 1_000_000 for _ in range(40))
        content.write(b"\nB,G1,y\n")
    tracemalloc.start()
    rows = list(Sheet(file, ("household", "grid")).rows())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * LINE_BYTES_MAX
    assert [(line, cells.get("household")) for line, cells in rows] == [(2, None), (3, "B")]
