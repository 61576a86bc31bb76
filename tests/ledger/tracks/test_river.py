"""GeoJSON in, reaches out: the same ids every time, a reason for each refusal, no reach too big."""
from __future__ import annotations

import json

import msgspec
import pytest

from ledger.tracks import Reach, RiverProblem, Track, length_m, nearest_reach, read_rivers
from ledger.tracks.river import MAX_LINES_BYTES
from tests.ledger.tracks import walks

LINE = [[122.1, 30.0], [122.2, 30.1]]


def feature(kind="LineString", coordinates=LINE, **properties):
    return {"type": "Feature", "properties": properties or {"name": "甬江"},
            "geometry": {"type": kind, "coordinates": coordinates}}


def collection(*features, **more) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features, **more}).encode()


def test_a_line_becomes_a_reach():
    """Name, district and official code are taken over; heights and digits past 0.1 m are not."""
    reaches, refused = read_rivers(collection(feature(
        coordinates=[[122.12345678, 30, 7], [122.2, 30.1]], name=" 甬江 ",
        district="330902", river_code="A1")))
    assert refused == []
    assert reaches == [Reach(reaches[0].reach_id, "甬江", (((122.123457, 30.0), (122.2, 30.1)),),
                             "330902", "A1")]


def test_importing_twice_gives_the_same_ids():
    """Ids follow from name and geometry: same in, same out; another name is another reach."""
    data = collection(feature(), feature(name="姚江"))
    first, second = read_rivers(data)[0], read_rivers(data)[0]
    assert first == second
    assert len({reach.reach_id for reach in first}) == 2


@pytest.mark.parametrize(("bad", "code"), [
    ("text", "not_a_feature"),
    ({"type": "Feature", "properties": None, "geometry": None}, "not_a_line"),
    (feature("Polygon", [[*LINE, LINE[0]]]), "not_a_line"),
    (feature(description="no name here"), "no_name"),
    (feature(name="  "), "no_name"),
    (feature(coordinates=[[30.0, 122.1], [30.1, 122.2]]), "bad_coordinates"),
    (feature(coordinates=[[122.1], [122.2]]), "bad_coordinates"),
    (feature(coordinates=[["a", "b"], ["c", "d"]]), "bad_coordinates"),
    (feature(coordinates=None), "bad_coordinates"),
    (feature("MultiLineString", []), "bad_coordinates"),
    (feature("MultiLineString", [1]), "bad_coordinates"),
    (feature(coordinates=[[122.1, 30.0]]), "too_short"),
    (feature(coordinates=[[122.1, 30.0], [122.1000001, 30.0]]), "too_short"),
    (feature(), "duplicate"),
])
def test_each_refusal_says_which_and_why(bad, code):
    """One bad feature is named with its reason and the good ones are read."""
    reaches, refused = read_rivers(collection(feature(), bad, feature(name="姚江")))
    assert [reach.name for reach in reaches] == ["甬江", "姚江"]
    assert [(one.index, one.code) for one in refused] == [(1, code)]
    assert refused[0].zh
    assert refused[0].en


@pytest.mark.parametrize(("data", "code"), [
    (b"{", "not_json"),
    (b"[" * 100_000, "not_json"),
    (b"[]", "not_a_collection"),
    (b'{"type": "FeatureCollection"}', "not_a_collection"),
    (collection(crs={"type": "name", "properties": {"name": "EPSG:4490"}}), "other_crs"),
])
def test_a_file_that_is_no_rivers_is_refused(data, code):
    """Broken JSON, other JSON, and another datum are refused as a whole."""
    with pytest.raises(RiverProblem) as raised:
        read_rivers(data)
    assert raised.value.code == code


def test_wgs84_may_be_declared():
    """The old crs member is allowed where it says what RFC 7946 says anyway."""
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    assert len(read_rivers(collection(feature(), crs=crs))[0]) == 1


@pytest.mark.parametrize("count", [2600, 5000, 20_000])
@pytest.mark.parametrize("size", [2, 7, 100_000])
def test_long_rivers_are_split_into_reaches_that_fit(count, size):
    """Numbered parts, each within a log entry, together exactly as long as the river."""
    points = [[round(110 + n * 0.000311, 6), round(30 + (n % 7) * 0.000123, 6)]
              for n in range(count)]
    lines = [points[start:start + size] for start in range(0, count - 1, size)]
    lines = [line for line in lines if len(line) > 1]
    reaches, refused = read_rivers(collection(feature("MultiLineString", lines, name="湍河")))
    assert refused == []
    assert [reach.name for reach in reaches] == [
        f"湍河 ({n}/{len(reaches)})" for n in range(1, len(reaches) + 1)]
    assert len(reaches) > 1
    for reach in reaches:
        assert len(msgspec.json.encode(reach.lines)) <= MAX_LINES_BYTES
        assert all(len(line) > 1 for line in reach.lines)
    whole = length_m([tuple(map(tuple, line)) for line in lines])
    assert sum(length_m(reach.lines) for reach in reaches) == pytest.approx(whole, abs=len(reaches))


def test_length_is_that_of_the_geodesic():
    """One degree of the equator is 111,319 m; lines add up."""
    line = ((0.0, 0.0), (1.0, 0.0))
    assert length_m((line,)) == 111_319
    assert length_m((line, line)) == 222_639


NEAR = Reach("a", "near", walks.RIVER)
FAR = Reach("b", "far", tuple(tuple((x + 0.03, y) for x, y in line) for line in walks.RIVER))
ABROAD = Reach("c", "abroad", (((14.3, 45.7), (14.4, 45.8)),))


def test_a_track_belongs_to_the_nearest_reach():
    """The reach most fixes are closest to, in whichever order the reaches are given."""
    walked = walks.honest(1)
    assert nearest_reach(walked, (ABROAD, FAR, NEAR)) is NEAR
    assert nearest_reach(walked, (NEAR, FAR)) is NEAR
    assert nearest_reach(walks.with_spike(walked, 3, 2900.0), (FAR, NEAR)) is NEAR


def test_far_from_every_river_there_is_no_reach():
    """Nothing is guessed: no reaches, or none within some 5 km, is None."""
    assert nearest_reach(walks.honest(1), ()) is None
    assert nearest_reach(walks.honest(1), (ABROAD,)) is None
    assert nearest_reach(Track(()), (NEAR,)) is None


def test_real_rivers_are_read(shared_data):
    """All 19 rivers and 4 canals of Dengzhou; none of its polygons and points."""
    folder = shared_data / "rivers_cn"
    counts = {
        file.stem.removeprefix("dengzhou_"): [len(part) for part in read_rivers(file.read_bytes())]
        for file in folder.glob("*.geojson")
    }
    assert counts["rivers"] == [19, 0]
    assert counts["canals"] == [4, 0]
    assert counts["admin-boundaries"] == [0, 3]
    assert counts["places"] == [0, 127]


def test_a_clean_walk_along_a_real_river_measures_its_length(shared_data):
    """1000 m down each real river measure 1000 m but for the corners cut between fixes."""
    reaches, _ = read_rivers((shared_data / "rivers_cn" / "dengzhou_rivers.geojson").read_bytes())
    for reach in reaches:
        walked = walks.clean(1000, 1200, 10, reach.lines[0], begin=300)
        metrics, verdict, reasons = walks.assessed(walked, reach.lines)
        assert (verdict, reasons) == ("valid", ())
        assert 990 <= metrics.length_m <= 1000
        assert nearest_reach(walked, reaches).name == reach.name


def test_nearest_is_meant_in_metres():
    """A reach 950 m to the north loses to one 900 m to the east, though it is fewer degrees off."""
    place, east, north = ((122.1, 30.0),) * 2, (122.10933, 30.0), (122.1, 30.00857)
    to_east = Reach("e", "east", ((east, (122.2, 30.0)),))
    to_north = Reach("n", "north", ((north, (122.1, 30.1)),))
    assert nearest_reach(Track(place), (to_north, to_east)) is to_east
