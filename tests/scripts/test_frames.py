"""``gwc import households``: the frame of a campaign, its bad rows one by one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from api.config import Settings
from api.services import open_services
from ledger.campaigns.campaign import Plan
from ledger.campaigns.frame import Door, door_id
from ledger.participants import Actor

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
        "4 王家\tmalformed_household", "5 13800138000\tmalformed_household",
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
        "2 A\tother_district", "4 C\tnot_a_grid",
    ]  # fmt: skip
