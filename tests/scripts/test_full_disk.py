"""A disk that takes no more: commands say so at once, and do not wait for it to get better."""

from __future__ import annotations

import resource
import subprocess
import time

import pytest

from tests.scripts.conftest import Gwc

ROOM = 8_192  # No file may grow beyond this; SQLite's shared memory alone is larger.
SECONDS_MAX = 20  # It would wait 30 s for a lock.


def no_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))


def on_a_full_disk(gwc: Gwc, *words: str) -> subprocess.CompletedProcess[str]:
    """What a command came to, within seconds and in one line."""
    began = time.monotonic()
    # Python 3.11.2 keeps compiled modules that were cut off, and later runs would trip on them.
    env = {**gwc.env, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [*gwc.command, *words], cwd=gwc.folder, env=env, text=True, capture_output=True,
        preexec_fn=no_room,
    )  # fmt: skip
    assert time.monotonic() - began < SECONDS_MAX
    assert ran.returncode == 2, ran.stderr
    assert len(ran.stderr.splitlines()) == 1, ran.stderr
    return ran


@pytest.mark.parametrize("words", [
    ["token", "issue", "--role", "citizen"], ["audit"], ["serve"], ["notary", "--once"],
], ids=" ".join)  # fmt: skip
def test_a_full_disk_is_told_of_at_once(words, city):
    """In one line, status 2, within seconds; it names the disk, in both languages."""
    for lang, said in (("zh", "磁盘是否已满"), ("en", "is the disk full")):
        ran = on_a_full_disk(city, *words, "--lang", lang)
        assert ran.stderr.startswith("database_unavailable: ")
        assert said in ran.stderr


def test_a_witness_on_a_full_disk_says_so(gwc):
    """It makes no key that it could not remember cosigning with, and can be begun later."""
    ran = on_a_full_disk(gwc, "witness", "--dir", "w", "--show-key")
    assert ran.stderr.startswith("file_error: ")
    assert not list((gwc.folder / "w").glob("*key*"))
    gwc("witness", "--dir", "w", "--show-key")
