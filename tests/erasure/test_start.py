"""What a service that starts believes of the published log: what the log's own key signed."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID

import pytest

from api.config import Settings
from api.services import open_services
from ledger.erasure.published import PublishedUnreadable
from ledger.transparency.signing import Signer, new_key
from scripts.notary import open_notary, sign_all
from tests.ledger.erasing import erase, registered

ORIGIN = "log.example/water"


class Restored:
    """A database of before an erasure, and the log that was published behind it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.pem = folder, folder / "log-key.pem"
        self.pem.write_bytes(new_key())
        self.environ = {
            "GWC_DATABASE_URL": f"sqlite:///{folder / 'gwc.db'}", "GWC_LOG_ORIGIN": ORIGIN,
            "GWC_LOG_DIR": str(folder / "tlog"),
        }  # fmt: skip
        opened = open_services(self.settings())
        self.person = registered(opened.ledger).participant_id
        opened.close()
        shutil.copy(folder / "gwc.db", folder / "backup.db")
        opened = open_services(self.settings(GWC_LOG_KEY=str(self.pem)))
        erase(opened.ledger, self.person)
        sign_all(opened, open_notary(opened))
        opened.close()
        shutil.copy(folder / "backup.db", folder / "gwc.db")

    def settings(self, **more: str) -> Settings:
        return Settings.from_env({**self.environ, **more})

    def policy(self, key: str) -> str:
        path = self.folder / "policy"
        path.write_text(f"log {key}\nquorum none\n")
        return str(path)

    def has_key(self, **more: str) -> bool:
        """Whether the person has a key once the service has started."""
        opened = open_services(self.settings(**more))
        found = opened.ledger.store.select_stored_key(UUID(str(self.person)))
        opened.close()
        return found is not None


@pytest.fixture
def restored(tmp_path: Path) -> Restored:
    return Restored(tmp_path)


def test_it_forgets_what_its_own_key_signed(restored):
    """With the private key, as the notary's host has it; other things in the folder are no logs."""
    (restored.folder / "tlog" / "notes.txt").write_text("kept by hand")
    assert not restored.has_key(GWC_LOG_KEY=str(restored.pem))


def test_a_host_without_the_private_key_has_the_public_one_from_the_trust_policy(restored):
    """A web server need not hold what signs the log."""
    key = str(Signer(ORIGIN, restored.pem.read_bytes()).verifier)
    assert not restored.has_key(GWC_TRUST_POLICY=restored.policy(key))


@pytest.mark.parametrize("known", ["another key", "no key", "no policy"])
def test_what_nobody_here_can_check_stops_the_start(restored, known):
    """Neither is the log believed, nor anybody served who may have been erased."""
    more = {
        "another key": {"GWC_LOG_KEY": str(restored.folder / "other.pem")},
        "no key": {},
        "no policy": {"GWC_TRUST_POLICY": str(restored.folder / "nothing")},
    }[known]
    (restored.folder / "other.pem").write_bytes(new_key())
    with pytest.raises(PublishedUnreadable):
        restored.has_key(**more)
