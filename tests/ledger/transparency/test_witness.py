"""A witness: what it cosigns, what it refuses, and that it never goes back."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sqlite3
from base64 import b64decode

import pytest

from ledger.transparency import ed25519
from ledger.transparency.merkle import EMPTY_ROOT, leaf_hash
from ledger.transparency.notes import LOG_KEY, Note, Signature
from ledger.transparency.signing import Signer, new_key
from ledger.transparency.witness import KEPT, SIZE, TEXT, Witness
from ledger.transparency.witness_state import NEVER_SEEN, StateLost, Tree, WitnessState
from tests.ledger.transparency.signed_logs import ORIGIN, SignedLog, a_witness_signer

NOW = 1_780_000_000
LOG, SIGNER = SignedLog(), a_witness_signer()
STRANGER = Signer(ORIGIN, new_key(), LOG_KEY)


@pytest.fixture
def state(tmp_path):
    opened = WitnessState(tmp_path / "cosigned.db", begin=True)
    yield opened
    opened.close()


@pytest.fixture
def witness(state):
    return Witness(state, SIGNER, [LOG.signer.verifier])


def cosigned(witness: Witness, body: bytes) -> int:
    return witness.add_checkpoint(body, NOW).status


def test_a_cosignature_is_what_the_specification_says(witness):
    """The answer is one line: key id, time and an Ed25519 signature over the dated checkpoint."""
    answer = witness.add_checkpoint(LOG.request(0, 9), NOW)
    assert (answer.status, answer.content_type) == (200, TEXT)
    line = answer.body.decode()
    assert line.startswith(f"— {SIGNER.verifier.name} ")
    assert line.endswith("\n")
    content = b64decode(line[:-1].split(" ")[2], validate=True)
    assert (content[:4], content[4:12]) == (SIGNER.verifier.key_id, NOW.to_bytes(8, "big"))
    message = f"cosignature/v1\ntime {NOW}\n{LOG.note(9).text}".encode()
    assert ed25519.verify(SIGNER.verifier.public, message, content[12:])


def test_it_follows_a_log_step_by_step(witness, state):
    """Each checkpoint is cosigned from the one before, and again at its own size."""
    for old, size in ((0, 1), (1, 2), (2, 2), (2, 7), (7, 256), (256, 257), (257, 300)):
        assert cosigned(witness, LOG.request(old, size)) == 200
        assert state.cosigned(ORIGIN) == Tree(size, LOG.root(size))


def test_a_log_may_begin_empty(witness):
    """The empty tree has one root; behind it any tree may be the first, without a proof."""
    assert cosigned(witness, LOG.request(0, 0)) == 200
    assert cosigned(witness, LOG.request(0, 0, note=LOG.note(0, leaf_hash(b"no")))) == 422
    assert cosigned(witness, LOG.request(0, 5)) == 200


def test_an_empty_tree_of_another_root_is_no_beginning(state):
    """A log nobody has seen cannot begin with a root that is not the empty one's."""
    witness = Witness(state, SIGNER, [LOG.signer.verifier])
    answer = witness.add_checkpoint(LOG.request(0, 0, note=LOG.note(0, leaf_hash(b"no"))), NOW)
    assert answer.status == 422
    assert state.cosigned(ORIGIN) == NEVER_SEEN


@pytest.mark.parametrize("body", [
    b"", b"old 0", b"old 0\n", b"old 0\n\n", b"\n\n",
    LOG.request(0, 3).replace(b"old 0", b"old 00"), LOG.request(0, 3).replace(b"old 0", b"old -1"),
    LOG.request(0, 3).replace(b"old 0", b"old +0"), LOG.request(0, 3).replace(b"old 0", b"old 0 "),
    LOG.request(0, 3).replace(b"old 0", b"Old 0"), LOG.request(0, 3).replace(b"old 0", b"old  0"),
    LOG.request(0, 3).replace(b"old 0", "old ٣".encode()),
    LOG.request(0, 3).replace(b"old 0", b"old 9223372036854775808"),
    LOG.request(0, 3).replace(b"old 0\n", b"old 0\r\n"), LOG.request(0, 3).replace(b"\n", b"\r\n"),
    LOG.request(0, 3, [leaf_hash(b"")] * 64),
    LOG.request(0, 3, [b"short"]), LOG.request(0, 3).replace(b"old 0\n", b"old 0\n====\n"),
    LOG.request(2, 3).replace(b"=\n\n", b"\n\n", 1),
    LOG.request(0, 3, note=Note("only a text\n", LOG.note(3).signatures)),
    LOG.request(0, 3, note=LOG.note(3, b"no root")), LOG.request(0, 3)[:-1],
    LOG.request(0, 3, note=Note(LOG.note(3).text, ())), LOG.request(0, 3) + b"\xff\n",
    LOG.request(4, 4).replace(b"old 4", b"old 5"),
])  # fmt: skip
def test_what_is_not_a_request_is_400(witness, state, body):
    """Other spellings, too many hashes, no checkpoint, an old size beyond it: nothing is kept."""
    assert cosigned(witness, body) == 400
    assert state.cosigned(ORIGIN) == NEVER_SEEN


def test_another_log_is_404(witness):
    """A log that was not named is not cosigned for, whoever signed it."""
    other = SignedLog(9, signer=LOG.signer, origin="city.example/other")
    assert cosigned(witness, other.request(0, 9)) == 404


def test_who_does_not_hold_the_key_is_403(witness, state):
    """A stranger's signature, a changed one, or one on another text opens nothing."""
    text = LOG.note(9).text
    line = LOG.note(9).signatures[0]
    flipped = Signature(line.name, line.key_id, bytes([line.content[0] ^ 1]) + line.content[1:])
    for one in (STRANGER.sign(text), flipped, LOG.note(8).signatures[0]):
        assert cosigned(witness, LOG.request(0, 9, note=Note(text, (one,)))) == 403
    assert state.cosigned(ORIGIN) == NEVER_SEEN
    both = Note(text, (STRANGER.sign(text), line))
    assert cosigned(witness, LOG.request(0, 9, note=both)) == 200  # Strangers are passed over.


def test_a_log_may_have_two_keys_while_one_replaces_the_other(state):
    """Either key of a log is enough, and both lead on one history."""
    witness = Witness(state, SIGNER, [LOG.signer.verifier, STRANGER.verifier])
    text = LOG.note(9).text
    assert cosigned(witness, LOG.request(0, 9, note=Note(text, (STRANGER.sign(text),)))) == 200
    assert cosigned(witness, LOG.request(9, 12)) == 200
    assert cosigned(witness, LOG.request(0, 20)) == 409


def test_another_old_size_is_409_with_the_one_it_knows(witness):
    """Who starts from elsewhere is told where to start; an old checkpoint comes too late."""
    assert witness.add_checkpoint(LOG.request(4, 9), NOW)[:3] == (409, SIZE, b"0\n")
    assert cosigned(witness, LOG.request(0, 9)) == 200
    for old, size in ((0, 9), (0, 20), (4, 9), (8, 8), (20, 30)):
        assert witness.add_checkpoint(LOG.request(old, size), NOW)[:3] == (409, SIZE, b"9\n")


def test_a_rewritten_log_is_refused_at_every_size(witness, state):
    """All entries from one on replaced and signed with the true key: 422, its own size included."""
    assert cosigned(witness, LOG.request(0, 20)) == 200
    for fork in (0, 1, 7, 16, 19):
        other = LOG.rewritten(fork)
        same = witness.add_checkpoint(other.request(20, 20), NOW)
        assert (same.status, same.contradicts) == (422, True)
        for size in (21, 32, 64, 300):
            longer = witness.add_checkpoint(other.request(20, size), NOW)
            assert (longer.status, longer.contradicts) == (422, True)
            crossed = LOG.proof(20, size)
            assert cosigned(witness, other.request(20, size, crossed)) == 422
    assert state.cosigned(ORIGIN) == Tree(20, LOG.root(20))
    assert cosigned(witness, LOG.request(20, 300)) == 200


def test_a_proof_must_be_exactly_the_one(witness):
    """No proof, a part of it, more than it, or one with a changed hash leads nowhere."""
    assert cosigned(witness, LOG.request(0, 13)) == 200
    proof = LOG.proof(13, 100)
    wrong = [[], proof[:-1], proof[1:], [*proof, proof[0]], proof[::-1], proof * 2]
    wrong += [[*proof[:i], leaf_hash(b"x"), *proof[i + 1 :]] for i in range(len(proof))]
    for one in wrong:
        assert cosigned(witness, LOG.request(13, 100, one)) == 422
    assert cosigned(witness, LOG.request(13, 13, proof)) == 422
    assert cosigned(witness, LOG.request(13, 100)) == 200


def test_the_first_tree_comes_without_a_proof(witness):
    """From size 0 nothing can be shown, so a proof from there is refused."""
    assert cosigned(witness, LOG.request(0, 9, LOG.proof(4, 9))) == 422
    assert cosigned(witness, LOG.request(0, 9)) == 200


def test_public_consistency_vectors_are_answered_as_they_must_be(shared_data, state, witness):
    """Of the public cases those that hold are cosigned and no other is."""
    answers = []
    for path in sorted((shared_data / "vectors" / "consistency").rglob("*.json")):
        told = json.loads(path.read_text())
        old, size = told["size1"], told["size2"]
        old_root, root = (b64decode(told[name] or "") for name in ("root1", "root2"))
        if not 0 < old <= size or len(old_root) != len(EMPTY_ROOT):
            continue  # No witness can have cosigned such a tree.
        state.move(ORIGIN, state.cosigned(ORIGIN), Tree(old, old_root))
        hashes = [b64decode(one) for one in told["proof"] or []]
        status = cosigned(witness, LOG.request(old, size, hashes, LOG.note(size, root)))
        assert (status == 200) == (not told["wantErr"]), path
        answers.append(status)
    assert len(answers) > 50
    assert answers.count(200) >= 4


def test_what_is_cosigned_is_on_the_disk_before(tmp_path):
    """When the cosignature is made another process already reads the tree from the file."""
    path, seen = tmp_path / "cosigned.db", []

    def look(step: str) -> None:
        if step == KEPT:
            with sqlite3.connect(path) as other:
                seen.extend(other.execute("SELECT size FROM cosigned").fetchall())
            other.close()

    state = WitnessState(path, begin=True)
    witness = Witness(state, SIGNER, [LOG.signer.verifier], look)
    assert cosigned(witness, LOG.request(0, 9)) == 200
    assert cosigned(witness, LOG.request(9, 10)) == 200
    assert seen == [(9,), (10,)]
    (synchronous,) = state._connection.execute("PRAGMA synchronous").fetchone()
    assert synchronous == 2
    state.close()


def _killed(path, body: bytes) -> None:
    witness = Witness(
        WitnessState(path, begin=True), SIGNER, [LOG.signer.verifier],
        lambda step: os.kill(os.getpid(), signal.SIGKILL) if step == KEPT else None,
    )  # fmt: skip
    witness.add_checkpoint(body, NOW)


def test_killed_before_it_answers_it_still_remembers(tmp_path):
    """kill -9 between disk and answer: the other branch of that size is refused for ever."""
    path, other = tmp_path / "cosigned.db", LOG.rewritten(3)
    process = multiprocessing.get_context("fork").Process(
        target=_killed, args=(path, LOG.request(0, 9))
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    state = WitnessState(path)
    witness = Witness(state, SIGNER, [LOG.signer.verifier])
    assert cosigned(witness, other.request(0, 9)) == 409
    assert cosigned(witness, other.request(9, 9)) == 422
    assert cosigned(witness, other.request(9, 12)) == 422
    assert cosigned(witness, LOG.request(9, 9)) == 200
    state.close()


def test_a_lost_state_is_no_new_beginning(tmp_path):
    """A missing or emptied file is refused unless the witness is told to begin."""
    path = tmp_path / "cosigned.db"
    with pytest.raises(StateLost):
        WitnessState(path)
    assert not path.exists()
    path.touch()
    with pytest.raises(StateLost):
        WitnessState(path)
    WitnessState(path, begin=True).close()
    WitnessState(path).close()


RACES, PEM = 2_000, new_key()


def _race(path, barrier, size: int, fork: int | None, answers) -> None:
    """Show the beginning of many logs, at the moment another process shows another one."""
    signers = [Signer(f"city.example/{number}", PEM) for number in range(RACES)]
    logs = [SignedLog(8, fork, one, one.verifier.name) for one in signers]
    bodies = [log.request(0, size) for log in logs]
    state = WitnessState(path)
    witness = Witness(state, SIGNER, [one.verifier for one in signers])
    barrier.wait()
    won = []
    for number, body in enumerate(bodies):
        barrier.wait()
        won += [number] * (witness.add_checkpoint(body, NOW).status == 200)
    state.close()
    answers.put((size, won))


def test_of_two_requests_at_once_one_is_cosigned(tmp_path):
    """Two processes show two histories of a log at once, 2,000 times: never are both cosigned."""
    path = tmp_path / "cosigned.db"
    WitnessState(path, begin=True).close()
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(2), context.Queue()
    racers = [
        context.Process(target=_race, args=(path, barrier, *one, answers))
        for one in ((5, None), (6, 2))
    ]
    for racer in racers:
        racer.start()
    won = dict(answers.get(timeout=100) for _ in racers)
    for racer in racers:
        racer.join()
    assert sorted(won[5] + won[6]) == list(range(RACES))
    assert won[5]
    assert won[6]
    state = WitnessState(path)
    kept = [state.cosigned(f"city.example/{number}").size for number in range(RACES)]
    state.close()
    assert [number for number, size in enumerate(kept) if size == 6] == won[6]
