"""``gwc import``: real rivers and traces, and files with something wrong in them."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest


@pytest.fixture
def walker(gwc) -> str:
    """A registered citizen's id."""
    return json.loads(gwc("token", "issue", "--role", "citizen", "--json"))["participant_id"]


def outcomes(printed: str) -> dict[str, list[str]]:
    """The lines of ``import gpx`` by file name."""
    return {line.split("\t")[0]: line.split("\t")[1:] for line in printed.splitlines()}


def test_real_rivers_are_imported_once(gwc, shared_data):
    """All rivers of the shared file go in; a second time nothing is new."""
    file = shared_data / "rivers_cn" / "dengzhou_rivers.geojson"
    for new in (19, 0):
        told = gwc("import", "rivers", file, "--lang", "en")
        assert told == f"19 read, {new} new or changed, 0 refused.\n"
    gwc("audit")


def test_what_is_no_line_is_refused_one_by_one(gwc, shared_data):
    """Each polygon and point of the other files is a line with its reason, and status 1."""
    for name, count in (("osm-reservoir-surfaces", 3), ("places", 127)):
        file = shared_data / "rivers_cn" / f"dengzhou_{name}.geojson"
        lines = gwc("import", "rivers", file, status=1).splitlines()
        assert sum("\tnot_a_line: " in line for line in lines) == count


def test_a_file_that_is_no_geojson_is_refused_whole(gwc):
    """Broken JSON is one line and status 1."""
    (gwc.folder / "x.geojson").write_text("{")
    assert gwc.run("import", "rivers", "x.geojson", status=1).stderr.startswith("not_json: ")


def test_every_real_trace_gets_a_line_and_the_right_verdict(gwc, walker, shared_data):
    """A line per file; the honest walk is not called fast, the car is, no time is no coin."""
    gwc("import", "rivers", shared_data / "rivers_cn" / "dengzhou_rivers.geojson")
    folder = shared_data / "gpx"
    printed = gwc("import", "gpx", folder, "--participant", walker, status=1)
    lines = outcomes(printed)
    assert set(lines) == {file.name for file in folder.glob("*.gpx")}
    assert not {"too_fast", "fast_part"} & set(lines["gpxpy_korita-zbevnica.gpx"][3].split())
    verdict, coins, _, reasons = lines["gpxpy_around-visnjan-with-car.gpx"]
    assert (verdict, coins) == ("rejected", "0")
    assert "too_fast" in reasons
    verdict, coins, _, reasons = lines["gpxpy_cerknicko-without-times.gpx"]
    assert (verdict, coins) == ("rejected", "0")
    assert "no_times " in reasons
    for name, (verdict, _, length, reasons) in lines.items():
        assert verdict in ("valid", "review", "rejected", "invalid", "unreadable"), name
        assert reasons or verdict == "valid", name
        assert length.endswith(" m") or verdict in ("invalid", "unreadable"), name
    assert gwc("import", "gpx", folder, "--participant", walker, status=1) == printed
    gwc("audit")


def test_the_same_file_again_is_a_replay(gwc, walker, shared_data):
    """Nothing is added to the log by importing a file a second time."""
    file = shared_data / "gpx" / "gpxpy_korita-zbevnica.gpx"
    first = gwc("import", "gpx", file, "--participant", walker)
    log = gwc("export", "history", "--out", "-")
    assert gwc("import", "gpx", file, "--participant", walker) == first
    assert gwc("export", "history", "--out", "-") == log


def test_what_cannot_be_read_says_why(gwc, walker):
    """Not XML, an entity bomb and a track of one point are lines with codes, never a crash."""
    point = '<trkpt lat="32.6" lon="112.1"/>'
    files = {
        "bomb.gpx": '<!DOCTYPE x [<!ENTITY a "b">]><gpx>&a;</gpx>',
        "one.gpx": f"<gpx><trk><trkseg>{point}</trkseg></trk></gpx>",
        "text.gpx": "hello",
    }
    for name, text in files.items():
        (gwc.folder / name).write_text(text)
    lines = outcomes(gwc("import", "gpx", gwc.folder, "--participant", walker, status=1))
    assert {name: line[0] for name, line in lines.items()} == {
        "bomb.gpx": "unreadable", "one.gpx": "invalid", "text.gpx": "unreadable",
    }  # fmt: skip
    assert lines["bomb.gpx"][3].startswith("unsafe_xml ")
    assert lines["one.gpx"][3].startswith("too_few_points ")
    assert lines["text.gpx"][3].startswith("not_xml ")


def test_only_those_who_may_patrol_can_be_imported_for(gwc, shared_data):
    """An auditor has no patrols; the command is refused as a whole."""
    auditor = json.loads(gwc("token", "issue", "--role", "auditor", "--json"))["participant_id"]
    file = shared_data / "gpx" / "gpxpy_korita-zbevnica.gpx"
    refused = gwc.run("import", "gpx", file, "--participant", auditor, status=1)
    assert refused.stderr.startswith("forbidden: ")


def test_tracks_of_a_stranger_are_refused_with_what_to_do(gwc, shared_data):
    """A participant nobody registered is named, and is to be registered first."""
    file, stranger = shared_data / "gpx" / "gpxpy_korita-zbevnica.gpx", uuid4()
    refused = gwc.run("import", "gpx", file, "--participant", stranger, status=1).stderr
    assert refused == f"not_found: 没有参与者 {stranger}，请先登记。\n"


def test_bad_rows_of_districts_are_lines_and_the_good_ones_go_in(gwc):
    """An unknown kind or parent, a repeated code and what hangs below them are refused."""
    (gwc.folder / "d.csv").write_text(
        "code,name,parent,kind\n1,市,,city\n12,区,1,county\n13,x,1,planet\n14,y,9,town\n"
        "15,z,14,grid\n12,again,1,county\n,none,1,town\n121,镇,12,town\n"
    )
    lines = gwc("import", "districts", "d.csv", status=1).splitlines()
    told = {line.split("\t")[0]: line.split("\t")[1].partition(":")[0] for line in lines[:-1]}
    assert told == {
        "4 13": "unknown_kind", "5 14": "unknown_district", "6 15": "unknown_district",
        "7 12": "duplicate", "8 -": "missing_value",
    }  # fmt: skip
    assert gwc("export", "history", "--out", "-").count('"district.imported"') == 3
    (gwc.folder / "e.csv").write_text("code,name\n1,市\n")
    refused = gwc.run("import", "districts", "e.csv", status=1)
    assert refused.stderr.startswith("missing_column: ")


def test_codes_and_names_that_no_view_could_keep_are_refused(gwc):
    """A district's code and a reach's district are codes; a name is a line."""
    (gwc.folder / "d.csv").write_text(
        "code, name ,parent,kind\n1,市,,city\n*,格,1,grid\n" + f"{'9' * 41},格,1,grid\n"
        f"12,{'长' * 61},1,grid\n,,,\n13,格\n",
    )
    printed = gwc("import", "districts", "d.csv", "--json", status=1).splitlines()
    *refused, total = map(json.loads, printed)
    assert [(one["item"].split()[0], one["code"]) for one in refused] == [
        ("3", "malformed_code"), ("4", "malformed_code"), ("5", "malformed_name"),
        ("7", "malformed_row"),
    ]  # fmt: skip
    assert total == {"read": 5, "new": 1, "refused": 4}


def test_kinds_out_of_order_are_lines_and_the_rest_goes_in(gwc):
    """A grid under a grid, a city made a grid and a grid made a city are refused by themselves."""
    (gwc.folder / "a.csv").write_text(
        "code,name,parent,kind\nG1,格,T1,grid\nT1,镇,33,town\n33,市,,city\nG2,格,G1,grid\n"
    )
    (line, _) = gwc("import", "districts", "a.csv", status=1).splitlines()
    assert line.startswith("5 G2\tkinds_out_of_order: ")
    (gwc.folder / "b.csv").write_text(
        "code,name,parent,kind\n33,市,,grid\nG1,格,T1,city\nG3,格,T1,grid\n"
    )
    printed = gwc("import", "districts", "b.csv", "--json", status=1).splitlines()
    *refused, total = map(json.loads, printed)
    assert [(one["item"], one["code"]) for one in refused] == [
        ("2 33", "kinds_out_of_order"), ("3 G1", "kinds_out_of_order"),
    ]  # fmt: skip
    assert total == {"read": 3, "new": 1, "refused": 2}


def test_a_reach_in_what_is_no_district_is_refused(gwc):
    """Where no districts were imported any code will do, and nothing else will."""
    line = {"type": "LineString", "coordinates": [[120.1, 30.1], [120.2, 30.2]]}
    features = [
        {"type": "Feature", "geometry": line, "properties": {"name": name, "district": district}}
        for name, district in (("甲河", "a b"), ("乙河", "1"))
    ]
    collection = {"type": "FeatureCollection", "features": features}
    (gwc.folder / "r.geojson").write_text(json.dumps(collection))
    printed = gwc("import", "rivers", "r.geojson", "--json", status=1).splitlines()
    told, total = map(json.loads, printed)
    assert (told["item"], told["code"]) == ("甲河", "malformed_code")
    assert total == {"read": 2, "new": 1, "refused": 1}


def test_traces_are_told_as_objects(gwc, walker):
    """With --json a file is an object with its verdict and reasons, and the sum is the last one."""
    (gwc.folder / "text.gpx").write_text("hello")
    words = ("import", "gpx", "text.gpx", "--participant", walker, "--json")
    told, total = map(json.loads, gwc(*words, status=1).splitlines())
    assert total == {"read": 1, "refused": 1}
    assert (told["file"], told["verdict"], told["coins"]) == ("text.gpx", "unreadable", 0)
    assert [one["code"] for one in told["reasons"]] == ["not_xml"]
