"""GPX files of many makers are read; dangerous, damaged and empty ones are refused by name."""
from __future__ import annotations

from datetime import UTC, datetime

import gpxpy
import pytest

from ledger.tracks import GpxProblem, Rules, Track, judge, measure, read_gpx

POINT = '<trkpt lat="30.0{n}" lon="122.1"><ele>{n}</ele><time>2026-05-01T08:0{n}:00Z</time></trkpt>'


def gpx(inside: str, attributes: str = "") -> bytes:
    return f'<gpx version="1.1" {attributes}><trk><trkseg>{inside}</trkseg></trk></gpx>'.encode()


def test_points_times_and_heights_are_read():
    """Place, time and height of each point, in order."""
    track = read_gpx(gpx(POINT.format(n=1) + POINT.format(n=2)))
    assert track.coordinates == ((122.1, 30.01), (122.1, 30.02))
    assert track.times[0] == datetime(2026, 5, 1, 8, 1, tzinfo=UTC)
    assert track.altitudes == (1.0, 2.0)


def test_points_out_of_order_are_sorted_by_time():
    """When every point has a time, the order is that of the times."""
    track = read_gpx(gpx("".join(POINT.format(n=n) for n in (3, 1, 2))))
    assert list(track.times) == sorted(track.times)
    assert track.altitudes == (1.0, 2.0, 3.0)


def test_a_point_without_time_keeps_its_place():
    """One unknown time leaves the order of the file and a None."""
    track = read_gpx(gpx(POINT.format(n=3) + '<trkpt lat="1" lon="2"/>' + POINT.format(n=1)))
    assert [time is None for time in track.times] == [False, True, False]


def test_a_route_is_a_track_without_times():
    """A planned route may be looked at, though it never earns."""
    track = read_gpx(b'<gpx><rte><rtept lat="1" lon="2"/><rtept lat="1.1" lon="2"/></rte></gpx>')
    assert (len(track.coordinates), track.times) == (2, ())
    assert judge(measure(track, None, (), Rules()), Rules()).reasons[0] == "no_times"


def test_marks_and_other_encodings_are_read():
    """Byte order marks, even two of them, UTF-16 and Latin-1 are no obstacle."""
    plain = gpx(POINT.format(n=1))
    utf16 = b'<?xml version="1.0" encoding="utf-16"?>'.decode() + plain.decode()
    latin = b'<?xml version="1.0" encoding="latin-1"?><!-- \xe9 -->' + plain
    for data in (b"\xef\xbb\xbf" * 2 + plain, utf16.encode("utf-16"), latin, b"\n " + plain):
        assert read_gpx(data) == read_gpx(plain)


BOMB = b'<!DOCTYPE g [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><gpx>&b;</gpx>'
FILE = b'<!DOCTYPE g [<!ENTITY x SYSTEM "file:///etc/passwd">]><gpx>&x;</gpx>'


@pytest.mark.parametrize(("data", "code"), [
    (BOMB, "unsafe_xml"),
    (FILE, "unsafe_xml"),
    (b"", "not_xml"),
    (b"\x00\xff\xfe", "not_xml"),
    (b"<gpx><trk>", "not_xml"),
    (b'<?xml version="1.0" encoding="no-such"?><gpx/>', "not_xml"),
    (b"<kml/>", "not_gpx"),
    (b"<gpx/>", "no_track"),
    (b'<gpx><wpt lat="1" lon="2"/></gpx>', "no_track"),
    (gpx('<trkpt lat="1"/>'), "bad_point"),
    (gpx('<trkpt lat="nan" lon="2"/>'), "bad_point"),
    (gpx('<trkpt lat="1" lon="x"/>'), "bad_point"),
    (gpx('<trkpt lat="1" lon="2"/>' * 20_001), "too_many_points"),
    (b" " * (5 * 1024 * 1024 + 1), "too_large"),
])
def test_what_cannot_be_read_says_why(data, code):
    """Each kind of bad file has its code and two sentences."""
    with pytest.raises(GpxProblem) as raised:
        read_gpx(data)
    assert raised.value.code == code
    assert raised.value.zh
    assert raised.value.en


def test_every_real_file_is_read_as_gpxpy_reads_it(shared_data):
    """Tracks of real devices come out with the points, times and heights that gpxpy finds."""
    files = sorted((shared_data / "gpx").glob("*.gpx"))
    read = 0
    for file in files:
        data = file.read_bytes()
        theirs = gpxpy.parse(data)
        points = [point for track in theirs.tracks for part in track.segments
                  for point in part.points] or [p for route in theirs.routes for p in route.points]
        if not points:
            with pytest.raises(GpxProblem, match="no track"):
                read_gpx(data)
            continue
        read += 1
        ours = read_gpx(data)
        if all(point.time for point in points):
            points.sort(key=lambda point: point.time)
        assert ours.coordinates == tuple((p.longitude, p.latitude) for p in points), file.name
        assert (ours.times or (None,) * len(points)) == tuple(
            p.time and p.time.astimezone(UTC) for p in points), file.name
        measure(ours, None, (), Rules())
    assert read >= 10


def assess(shared_data, name: str) -> tuple[Track, object, tuple[str, ...]]:
    track = read_gpx((shared_data / "gpx" / f"gpxpy_{name}.gpx").read_bytes())
    metrics = measure(track, (track.coordinates,), (), Rules())
    return track, metrics, judge(metrics, Rules()).reasons


def test_a_real_walk_is_not_refused_for_speed(shared_data):
    """Korita to Zbevnica: undated fixes and a long silence do not make it a ride."""
    _, metrics, reasons = assess(shared_data, "korita-zbevnica")
    assert metrics.speed_p90_mm_s == pytest.approx(1210, rel=0.1)
    assert (metrics.fast_run_s, metrics.gaps >= 1, metrics.length_m > 5000) == (0, True, True)
    assert not {"too_fast", "fast_part", "too_short", "too_brief"} & set(reasons)


def test_a_real_ride_is_refused_for_speed(shared_data):
    """Around Višnjan by car: 2.7 km, and no patrol."""
    _, metrics, reasons = assess(shared_data, "around-visnjan-with-car")
    assert metrics.length_m == pytest.approx(2700, rel=0.03)
    assert metrics.speed_p90_mm_s == pytest.approx(12_400, rel=0.05)
    assert reasons[:2] == ("too_fast", "fast_part")


def test_a_real_track_without_times_is_told_so(shared_data):
    """Cerknicko: 5 dated points of 296 are no times."""
    _, metrics, reasons = assess(shared_data, "cerknicko-without-times")
    assert (metrics.timed_points, metrics.no_times, reasons[0]) == (5, 1, "no_times")
