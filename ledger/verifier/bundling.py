"""Writing a bundle (生成审计包): the published log, and what an auditor needs to check it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path

from ledger.policy import PolicyPublished
from ledger.transparency.tiles import (
    CHECKPOINT,
    ENTRIES,
    TRUST_POLICY,
    WIDTH,
    LogFolder,
    tile_path,
    tiles_at,
)
from ledger.verifier.folder import POLICIES
from ledger.verifier.packing import packed

README, VERIFY = "README.txt", "verify.py"


def write_log(
    log: LogFolder, checkpoint: bytes, size: int, out: Path, step: Callable[[int], None]
) -> None:
    """The files of the log of this size, one by one; ``step`` is told of entries written.

    Raises TileDamaged.
    """
    _write(out / CHECKPOINT, checkpoint)
    _write(out / TRUST_POLICY, (log.path / TRUST_POLICY).read_bytes())
    for level, number, width in tiles_at(size):
        _write(out / tile_path(level, number, width), log.read(level, number, width))
        if level == 0:
            name = tile_path(ENTRIES, number, width)
            _write(out / name, log.read(ENTRIES, number, width))
            step(min(width, WIDTH))


def write_policies(policies: Iterable[PolicyPublished], out: Path) -> None:
    """A file for every policy that was published."""
    for policy in policies:
        _write(out / POLICIES / f"{policy.version}.toml", policy.toml.encode())


def write_program(out: Path) -> str:
    """The verifier, and how to use it; the SHA-256 of the verifier in hexadecimal."""
    program = packed().encode()
    _write(out / VERIFY, program)
    (out / VERIFY).chmod(0o755)
    _write(out / README, Path(__file__).with_name(README).read_bytes())
    return sha256(program).hexdigest()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
