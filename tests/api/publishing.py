"""A service whose log is signed, for the tests: a key, a folder, and a notary at hand."""

from __future__ import annotations

from pathlib import Path

from api.services import Services
from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.notes import Note, VerifierKey
from ledger.transparency.signing import Signer, new_key
from scripts.notary import open_notary, sign_all


def signing(environ: dict[str, str], folder: Path) -> dict[str, str]:
    """The settings with a key of the log, and a folder for what is published."""
    key = folder / "log-key.pem"
    key.write_bytes(new_key())
    return {**environ, "GWC_LOG_KEY": str(key), "GWC_LOG_DIR": str(folder / "tlog")}


def sign(services: Services) -> VerifierKey:
    """Sign all there is; the key of the log."""
    sign_all(services, open_notary(services))
    origin = services.ledger.store.select_log_head().origin
    return Signer(origin, services.settings.log_key).verifier


def size_of(checkpoint: bytes) -> int:
    """How many entries a checkpoint covers."""
    return Checkpoint.parse(Note.parse(checkpoint).text).size
