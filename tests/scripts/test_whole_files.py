"""Files that commands write: whole or not at all, and never in place of what is no file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from scripts.whole_files import written

EXPORTS = {
    "history": ("ledger.history", "history_line"),
    "bundle": ("ledger.verifier.bundling", "write_policies"),
    "bundle.tar.gz": ("ledger.verifier.bundling", "write_policies"),
}
STUCK = """
import {module}, time
from scripts.gwc import main
{module}.{name} = lambda *_: time.sleep(60)
main(["export", "{command}", "--out", "{out}"])
"""


def write(path: Path, content: bytes) -> None:
    with written(path) as file:
        file.write(content)


def test_a_pipe_is_written_to(tmp_path):
    """What is named is still a pipe afterwards, and its reader had everything."""
    pipe, had = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = Thread(target=lambda: had.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write(pipe, b"coins")
    reader.join(10)
    assert had == [b"coins"]
    assert pipe.is_fifo()
    assert [one.name for one in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed(there, tmp_path):
    """The file it leads to is replaced, or made; the link stays."""
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "target", tmp_path / "link"
    link.symlink_to(target)
    if there:
        target.write_bytes(b"old")
    write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["far", "link", "target"]


def test_what_cannot_be_written_is_left_alone(tmp_path):
    """A folder, and links in a circle, are refused and are there afterwards."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    for name in ("folder", "circle"):
        with pytest.raises(OSError, match=name):
            write(tmp_path / name, b"new")
    assert (tmp_path / "folder").is_dir()
    assert (tmp_path / "circle").is_symlink()


def test_what_failed_leaves_the_old_file(tmp_path):
    """An error in the middle leaves no draft, and the file as it was."""
    (tmp_path / "out").write_bytes(b"old")
    with pytest.raises(TypeError), written(tmp_path / "out") as file:
        file.writelines([b"new", None])
    assert (tmp_path / "out").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_two_of_one_name_do_not_meet(tmp_path):
    """Each writes a draft of its own; the last to end is what is there, whole."""
    with written(tmp_path / "out") as first, written(tmp_path / "out") as second:
        first.write(b"first")
        second.write(b"second, longer")
    assert (tmp_path / "out").read_bytes() == b"first"
    assert len(list(tmp_path.iterdir())) == 1


def test_another_name_of_stdout_is_stdout(city):
    """``--out /dev/stdout`` into a file adds to it what ``-`` gives."""
    shown = city("export", "history", "--out", "-").encode()
    path = city.folder / "shown"
    path.write_bytes(b"before\n")
    with open(path, "ab") as file:
        subprocess.run([*city.command, "export", "history", "--out", "/dev/stdout"],
                       cwd=city.folder, env=city.env, stdout=file, check=True)  # fmt: skip
    assert path.read_bytes() == b"before\n" + shown


@pytest.mark.parametrize("out", EXPORTS)
def test_an_export_that_is_told_to_end_leaves_nothing(out, city):
    """SIGTERM in the middle of one ends it as ever; no draft, no traceback."""
    (module, name), before = EXPORTS[out], set(city.folder.iterdir())
    code = STUCK.format(module=module, name=name, command=out.partition(".")[0], out=out)
    with subprocess.Popen(
        [sys.executable, "-P", "-c", code], cwd=city.folder, env=city.env, text=True,
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        while not any(city.folder.glob("*.partial")) and process.poll() is None:
            time.sleep(0.05)
        process.terminate()
        told = process.communicate()[1]
    assert (process.returncode, told) == (-signal.SIGTERM, "")
    assert {one for one in city.folder.iterdir() if one.name[:6] != "gwc.db"} <= before
