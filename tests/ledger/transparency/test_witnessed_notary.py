"""The notary with witnesses: nothing is published without them, nothing forked gets past them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.store.leaf import leaf_hash
from ledger.transparency.cosigners import PolicyCosigners
from ledger.transparency.errors import CheckpointAhead, QuorumMissing
from ledger.transparency.merkle import EMPTY_ROOT
from ledger.transparency.notary import Notary
from ledger.transparency.notes import LOG_KEY, Note, VerifierKey
from ledger.transparency.signing import Signer, new_key, verify
from ledger.transparency.tiles import LogFolder
from tests.ledger.transparency.notary_logs import ORIGIN, KeepingSigner, Rows, parsed, published
from tests.ledger.transparency.witness_servers import LIARS, WitnessServer, honest, policy

PEM = new_key()
VERIFIER: VerifierKey = Signer(ORIGIN, PEM, LOG_KEY).verifier


class Rewritten(Rows):
    """The rows with every entry from ``fork`` on replaced, its leaf hash made right."""

    def __init__(self, count: int, fork: int) -> None:
        super().__init__(count)
        self._fork = fork

    def select_notifications(self, start, limit, stop):
        return [
            one if one.position < self._fork else _replaced(one)
            for one in super().select_notifications(start, limit, stop)
        ]


def _replaced(row):
    other = replace(row, state=b'{"n":-1}')
    return replace(other, leaf_hash=leaf_hash(other))


class City:
    """A city's log with three witnesses, of which two are asked for, and its notaries."""

    def __init__(self, path, threshold: str = "2") -> None:
        self.path, self.threshold = path, threshold
        self.servers = [WitnessServer(path, name, [VERIFIER]) for name in ("A", "B", "C")]
        self.signed: list[tuple[int, bytes]] = []
        self._opened: list[PolicyCosigners] = []

    def notary(self, log, folder: str = "log") -> Notary:
        signer = KeepingSigner(PEM, lambda text: self.signed.append(parsed(text)))
        self._opened.append(PolicyCosigners(policy(self.servers, self.threshold)))
        return Notary(log, LogFolder(self.path / folder), signer, self._opened[-1])

    def published(self, folder: str = "log") -> tuple[int, bytes] | None:
        return published(LogFolder(self.path / folder))

    def problems(self) -> list[str]:
        """What an auditor who has the policy says of the published checkpoint."""
        note = Note.parse(LogFolder(self.path / "log").checkpoint() or b"")
        return list(policy(self.servers, self.threshold).problems(note, verify))

    def close(self) -> None:
        for one in self._opened:
            one.close()
        for server in self.servers:
            server.close()


@pytest.fixture
def city(tmp_path):
    opened = City(tmp_path)
    yield opened
    opened.close()


def test_every_published_checkpoint_has_its_quorum(city):
    """As the log grows each checkpoint is cosigned by those the policy asks for."""
    log = Rows(1)
    notary = city.notary(log)
    for count in (1, 2, 300, 300, 700):
        log.count = count
        assert notary.step() == count
        assert city.published() == (count, log.log_head.root)
        assert city.problems() == []


def test_without_the_quorum_the_last_checkpoint_stays(city):
    """Two witnesses of three gone: written and signed, not published until one is back."""
    log = Rows(100)
    notary = city.notary(log)
    notary.step()
    before = LogFolder(city.path / "log").checkpoint()
    for one in city.servers[:2]:
        one.reply = LIARS["failing"]
    for count in (200, 300):
        log.count = count
        with pytest.raises(QuorumMissing) as told:
            notary.step()
        assert "A: 500, B: 500" in told.value.sentence_zh
        assert log.log_head.size == count
        assert LogFolder(city.path / "log").checkpoint() == before
    city.servers[0].reply = honest
    assert notary.step() == 300
    assert city.published() == (300, log.log_head.root)
    assert city.problems() == []


def test_nothing_new_is_signed_before_the_witnesses_were_asked(city):
    """A notary that starts without a quorum signs its head again and nothing behind it."""
    log = Rows(100)
    city.notary(log).step()
    log.count, signed = 200, list(city.signed)
    for one in city.servers:
        one.reply = LIARS["hanging up"]
    started = city.notary(log)
    for _ in range(3):
        with pytest.raises(QuorumMissing):
            started.step()
    assert set(city.signed) == set(signed)
    assert log.log_head.size == 100
    for one in city.servers:
        one.reply = honest
    assert started.step() == 200


@pytest.mark.parametrize("kept_folder", [True, False])
def test_a_restored_backup_signs_nothing_new(city, kept_folder):
    """A database from before is told so by a witness, though the published files are gone too."""
    log = Rows(100)
    city.notary(log).step()
    backup = log.log_head
    log.count = 300
    city.notary(log).step()
    restored = Rows(120)
    restored.log_head = backup
    city.signed.clear()
    notary = city.notary(restored, "log" if kept_folder else "elsewhere")
    for _ in range(2):
        with pytest.raises(CheckpointAhead) as refused:
            notary.step()
        assert refused.value.detail["size"] == 300
        assert refused.value.detail["head"] == 100
    assert {size for size, _ in city.signed} <= {100}
    assert restored.log_head == backup


@pytest.mark.parametrize("fork", [1, 50, 300])
@pytest.mark.parametrize("count", [300, 301, 512])
def test_a_rewritten_log_is_published_nowhere(city, fork, count):
    """The operator rewrites all and signs with the true key: no witness goes along."""
    log = Rows(300)
    city.notary(log).step()
    forged = Rewritten(count, fork)
    with pytest.raises(CheckpointAhead):  # From the beginning: the witnesses are at 300.
        city.notary(forged, "forged").step()
    # The head forged as well, so that the notary takes it for what it signed before.
    made = Notary(forged, LogFolder(city.path / "made"), Signer(ORIGIN, PEM))
    made.step()
    with pytest.raises(QuorumMissing) as told:
        city.notary(forged, "forged").step()
    assert told.value.detail["who"] == "A: 422, B: 422, C: 422"
    assert city.published("forged") is None
    assert city.published() == (300, log.log_head.root)


def test_a_database_begun_anew_under_the_same_name_is_refused(city):
    """An empty database, the old name and key: the witnesses remember the log before it."""
    city.notary(Rows(300)).step()
    city.signed.clear()
    with pytest.raises(CheckpointAhead):
        city.notary(Rows(5), "anew").step()
    assert set(city.signed) == {(0, EMPTY_ROOT)}


def test_a_changed_policy_is_met_at_the_next_start(city):
    """A checkpoint that lacks cosignatures the policy now asks for gets them without a fact."""
    log = Rows(100)
    city.servers[2].reply = LIARS["failing"]
    city.notary(log).step()
    city.threshold = "all"
    assert city.problems() != []
    city.servers[2].reply = honest
    assert city.notary(log).step() == 100
    assert city.problems() == []


def test_a_witness_the_policy_can_do_without_still_stops_a_fork(city):
    """With any one of three asked for, the one that knows more is listened to all the same."""
    city.threshold = "any"
    log = Rows(100)
    city.notary(log).step()
    backup = log.log_head
    for one in city.servers[1:]:
        one.reply = LIARS["failing"]
    log.count = 300
    city.notary(log).step()
    for one in city.servers[1:]:
        one.reply = honest
    restored = Rows(120)
    restored.log_head = backup
    with pytest.raises(CheckpointAhead) as refused:
        city.notary(restored, "elsewhere").step()
    assert refused.value.detail["who"] == "A"


def test_two_notaries_with_witnesses_do_not_take_each_other_for_a_fork(city):
    """What a witness cosigned for another notary of the same database is no reason to stop."""
    log = Rows(100)
    first, second = city.notary(log), city.notary(log)
    for count in (100, 150, 200):
        log.count = count
        assert first.step() == count
        assert second.step() == count
    assert city.problems() == []
