"""Damaged bundles: whatever is missing, cut off or made to trap the verifier is a finding."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

FILES = (
    "checkpoint", "trust-policy", "shown.json", "balances.csv", "boards.ndjson",
    "policies/2026-01.toml", "tile/entries/000", "tile/entries/001", "tile/0/000",
    "tile/1/000.p/2",
)  # fmt: skip


def huge(path: Path) -> None:
    """Ten gigabytes that take no room on the disk."""
    path.write_bytes(b"\xff" * 10)
    os.truncate(path, 10 * 2**30)


def outside(path: Path) -> None:
    """A link out of the bundle, to a file that is there."""
    other = path.parents[len(path.parts) - 2] / "etc" / "passwd"
    path.unlink()
    path.symlink_to(other)


def a_pipe(path: Path) -> None:
    """A pipe nobody writes to."""
    path.unlink()
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-3]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"x"),
    "garbage": lambda path: path.write_bytes(bytes(range(256)) * 40),
    "nested": lambda path: path.write_bytes(b"[" * 9_000 + b"\n"),
    "huge": huge,
    "a link out of it": outside,
    "a pipe": a_pipe,
    "a folder": a_folder,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_every_damage_of_every_file_is_found(damage, bundle, found):
    """No damage of a file passes, and none ends the check in any other way."""
    for name in FILES:
        path = bundle / name
        content = path.read_bytes()
        DAMAGE[damage](path)
        told = found()
        assert told, name
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
        path.write_bytes(content)
    assert found() == []


def test_the_verifier_has_a_word_for_everything(bundle, verify):
    """As a program it ends with status 1 and a line, whatever is damaged."""
    for name in FILES[:3]:
        path = bundle / name
        content = path.read_bytes()
        path.write_bytes(b"[" * 9_000)
        assert verify(status=1)
        path.write_bytes(content)
    (bundle / "checkpoint").unlink()
    (line,) = verify(status=1)
    assert line.startswith("BUNDLE position=0 ")
    assert line.endswith(" checkpoint: missing")


def test_a_checkpoint_that_promises_too_much_ends(forger, found):
    """A size nobody has does not keep the verifier busy for ever."""
    forger.sign(forger.head._replace(size=2**62))
    told = found()
    assert "BUNDLE" in {one.code for one in told}
    assert len(told) < 100


@pytest.mark.parametrize("trap", ["links in circles", "a file above"])
def test_names_without_end_are_not_tried_without_end(trap, forger, found):
    """A folder that is in itself, or is a file, does not hold as many bundles as there are names.

    The bundles before it are there, so that the verifier comes that far.
    """
    folder = forger.folder / "tile" / "entries"
    for number in range(3, 1_000, 7):
        (folder / f"{number:03d}").write_bytes(b"")
    if trap == "a file above":
        (folder / "x001").write_bytes(b"")
    else:
        (folder / "x001").symlink_to(".")
    forger.sign(forger.head._replace(size=2_000 * 256))
    told = found()
    assert "BUNDLE" in {one.code for one in told}
    assert max(one.position for one in told) < 1_020 * 256


def test_findings_do_not_command_the_terminal(bundle, found, verify):
    """Names and values of a bundle are shown in letters that can be seen, and not at length."""
    name = b"\x1b[2K\xff\xe2\x80\xae.toml"
    (Path(os.fsdecode(os.fsencode(bundle / "policies") + b"/" + name))).write_text("")
    path = bundle / "balances.csv"
    head, *lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([head, "\x1b[1A" + "0" * 5_000 + ",5,0\n", *lines]))
    for text in (*(one.text for one in found()), *verify(status=1), *verify("--json", status=1)):
        assert text.isprintable()
    for one in found():
        assert len(one.text) < 1_000
    assert "\\x1b[2K\\xdcff\\x202e.toml" in found()[-1].text


def test_an_entry_as_long_as_can_be_is_read_as_it_is(forger, found):
    """Length prefixes are of two bytes: the longest entry there can be is one unreadable row."""
    forger.replace(5, b"\xff" * 65_535)
    assert [one.position for one in found() if one.code == "UNREADABLE"] == [5]


def test_nothing_but_the_files_of_the_bundle_is_read(bundle, found):
    """A folder of the bundle that is a link to another place is not followed."""
    elsewhere = bundle.parent / "elsewhere"
    (bundle / "tile").rename(elsewhere)
    (bundle / "tile").symlink_to(elsewhere)
    assert {one.code for one in found()} >= {"BUNDLE"}
