"""Cosignatures: k of n are asked for at once; who is dead, slow or lies stops nobody."""

from __future__ import annotations

import socket
import time

import pytest

from ledger.transparency.cosigners import PolicyCosigners
from ledger.transparency.errors import CheckpointAhead
from ledger.transparency.notes import SIGNATURES_MAX, WITNESS_KEY, Note, VerifierKey
from ledger.transparency.signing import verify
from ledger.transparency.trust import PolicyInvalid, TrustPolicy
from tests.ledger.transparency import witness_servers
from tests.ledger.transparency.signed_logs import SignedLog
from tests.ledger.transparency.witness_servers import LIARS, WitnessServer, policy

LOG = SignedLog()


@pytest.fixture
def servers(tmp_path):
    opened = [WitnessServer(tmp_path, name, [LOG.signer.verifier]) for name in ("A", "B", "C", "D")]
    yield opened
    for one in opened:
        one.close()


@pytest.fixture
def asking(servers):
    """Makes the cosigners of so many of the servers; their connections are closed in the end."""
    opened = []

    def make(threshold: str, some=None) -> PolicyCosigners:
        opened.append(PolicyCosigners(policy(some or servers, threshold)))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def ask(cosigners: PolicyCosigners, size: int, log: SignedLog = LOG) -> Note:
    """The note with what the witnesses gave for it."""
    note = log.note(size)
    found = cosigners.collect(note, size, log.tree())
    return Note(note.text, (*note.signatures, *found))


def cosigned_by(servers: list[WitnessServer], note: Note) -> list[str]:
    """Whose cosignature is on the note and holds."""
    keys = {one.signer.verifier: one.name for one in servers}
    return sorted(keys[one.key] for one in note.signed_by(keys, verify))


def test_all_cosign_and_the_note_is_what_auditors_believe(servers, asking):
    """Four honest witnesses give four cosignatures, and the policy that asks for all is content."""
    told = policy(servers, "all")
    cosigners = asking("all")
    note = ask(cosigners, 9)
    assert cosigned_by(servers, note) == ["A", "B", "C", "D"]
    assert cosigners.enough(note)
    assert list(told.problems(note, verify)) == []
    assert cosigners.missing() == ""


def test_they_are_led_on_from_what_they_cosigned_last(servers, asking):
    """Only the first time they are asked what they know; then one request leads to the next."""
    cosigners = asking("all")
    ask(cosigners, 9)
    assert {len(one.asked) for one in servers} == {2}
    for size in (10, 64, 64, 300):
        assert cosigners.enough(ask(cosigners, size))
    assert {len(one.asked) for one in servers} == {6}
    # Another notary led one of them on, and one lost its connection.
    servers[0].asked.clear()
    again = asking("all")
    assert again.enough(ask(again, 300))
    assert len(servers[0].asked) == 1


def test_a_witness_that_was_led_on_by_another_is_found_where_it_is(servers, asking):
    """A proof from the wrong size is answered with the right one, and sent from there."""
    ours, other = (asking("all") for _ in range(2))
    ask(ours, 9)
    ask(other, 20)
    assert ours.enough(ask(ours, 30))


@pytest.mark.parametrize("liar", LIARS)
def test_one_dead_and_one_lying_witness_stop_nobody(servers, asking, liar):
    """Of four one is dead and one does as it should not: two of four are there at once."""
    _, _, dead, lying = servers
    cosigners = asking("2")
    dead.socket.close()
    dead.shutdown()
    lying.reply = LIARS[liar]
    began = time.monotonic()
    first = ask(cosigners, 9)
    assert time.monotonic() - began < 0.9  # Not the second that who is silent would take.
    assert cosigned_by(servers, first) == ["A", "B"]
    assert cosigners.enough(first)
    assert list(policy(servers, "2").problems(first, verify)) == []
    assert "C: no_answer" in cosigners.missing()
    assert "D: " in cosigners.missing()
    began = time.monotonic()
    assert cosigners.enough(ask(cosigners, 10))
    assert time.monotonic() - began < 0.5


@pytest.mark.parametrize("liar", LIARS)
def test_without_the_quorum_nothing_is_enough(servers, asking, liar):
    """Three of four are asked for and two are honest: what the others say is never the third."""
    _, _, forger, lying = servers
    cosigners = asking("3")
    forger.reply, lying.reply = witness_servers.forging, LIARS[liar]
    note = ask(cosigners, 9)
    assert cosigned_by(servers, note) == ["A", "B"]
    assert not cosigners.enough(note)


def test_a_dead_witness_is_left_in_peace_unless_it_is_needed(servers, asking):
    """Who failed is not asked for a while; where there is no quorum without, it is asked again."""
    silent = servers[3]
    silent.reply = LIARS["failing"]
    can_do_without = asking("3")
    for size in (9, 10, 11):
        assert can_do_without.enough(ask(can_do_without, size))
    assert len(silent.asked) == 1
    needs_it = asking("all")
    assert not needs_it.enough(ask(needs_it, 12))
    silent.reply = witness_servers.honest
    assert needs_it.enough(ask(needs_it, 13))


def test_an_answer_that_takes_too_long_is_ended(servers, asking):
    """Who drips an answer for ten seconds is cut off after one, and can be asked again."""
    cosigners = asking("all")
    servers[0].reply = witness_servers.dripping
    assert not cosigners.enough(ask(cosigners, 9))
    assert "A: no_answer" in cosigners.missing()
    servers[0].reply = witness_servers.honest
    time.sleep(0.2)
    assert cosigners.enough(ask(cosigners, 9))


def test_a_witness_may_be_away_for_long(servers):
    """After two thousand refused connections it is still asked, and costs no time."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    told = f"witness A {servers[0].signer.verifier} {url}\nquorum A\n"
    cosigners = PolicyCosigners(TrustPolicy.parse(told.encode()))
    note, tree = LOG.note(9), LOG.tree()
    for _ in range(2_000):
        assert cosigners.collect(note, 9, tree) == []
    began = time.monotonic()
    cosigners.collect(note, 9, tree)
    assert time.monotonic() - began < 0.5
    assert cosigners.missing() == "A: no_answer"


def test_a_witness_that_knows_more_stops_the_log(servers, asking):
    """Whoever cosigned a larger tree is named with its size, though it fell silent meanwhile."""
    longer = asking("any", servers[:1])
    assert longer.enough(ask(longer, 20))
    cosigners = asking("2")
    for reply in (witness_servers.honest, LIARS["failing"], witness_servers.honest):
        servers[0].reply = reply
        with pytest.raises(CheckpointAhead) as refused:
            ask(cosigners, 9)
        assert refused.value.detail == {"who": "A", "size": 20, "head": 9}
    assert cosigners.enough(ask(cosigners, 20))


def test_a_rewritten_log_gets_no_cosignature(servers, asking):
    """All rewritten and signed with the true key: no witness cosigns, whatever size it is shown."""
    honest = asking("any")
    assert honest.enough(ask(honest, 20))
    other = LOG.rewritten(4)
    for size, status in ((20, "422"), (21, "422"), (300, "422")):
        forked = asking("any")
        note = ask(forked, size, other)
        assert cosigned_by(servers, note) == []
        assert not forked.enough(note)
        assert forked.missing() == ", ".join(f"{one}: {status}" for one in "ABCD")
    assert {one.state.cosigned(LOG.origin).size for one in servers} == {20}


def test_a_connection_that_ended_is_made_anew(servers, asking):
    """A witness may hang up between two checkpoints; that costs nothing but a connection."""
    class Ending:
        def __init__(self) -> None:
            self.count = 0

        def __call__(self, handler, body) -> None:
            witness_servers.honest(handler, body)
            handler.close_connection = True

    for one in servers:
        one.reply = Ending()
    cosigners = asking("all")
    for size in (9, 10, 11):
        assert cosigners.enough(ask(cosigners, size))


def test_lines_of_other_keys_are_passed_over(servers, asking):
    """A witness may give more lines than its own; only its own is taken."""
    def generous(handler, body) -> None:
        answer = handler.server.answer(body)
        if answer.status == 200:
            text = witness_servers.Request.parse(body).note.text
            other = servers[1].signer.cosign(text, witness_servers.NOW)
            answer = answer._replace(body=str(other).encode() + answer.body)
        handler.send(answer)

    servers[0].reply = generous
    cosigners = asking("all", servers[:1])
    note = ask(cosigners, 9)
    assert cosigned_by(servers, note) == ["A"]


@pytest.mark.parametrize("url", [
    "ftp://audit.example/", "audit.example", "http://", "http://audit.example:port/",
    "http://见证.example/",
])  # fmt: skip
def test_an_address_that_is_none_is_refused(servers, url):
    """Only http and https with a host can be asked."""
    key = servers[0].signer.verifier
    told = TrustPolicy.parse(f"witness A {key} {url}\nquorum none\n".encode())
    with pytest.raises(PolicyInvalid):
        PolicyCosigners(told)


def test_more_witnesses_than_a_note_holds_signatures_are_refused():
    """A checkpoint with all their cosignatures could be read by nobody, not even by us."""
    def told(count: int) -> TrustPolicy:
        keys = [VerifierKey(f"w{n}", WITNESS_KEY, n.to_bytes(32, "big")) for n in range(count)]
        lines = [f"witness w{n} {key} http://w/\n" for n, key in enumerate(keys)]
        return TrustPolicy.parse("".join([*lines, "quorum none\n"]).encode())

    PolicyCosigners(told(SIGNATURES_MAX - 1))
    with pytest.raises(PolicyInvalid, match="99"):
        PolicyCosigners(told(SIGNATURES_MAX))


def test_a_quorum_nobody_can_reach_is_refused(servers):
    """Witnesses without an address cannot be asked, so they must not be needed."""
    key = servers[0].signer.verifier
    with pytest.raises(PolicyInvalid, match="never be a quorum"):
        PolicyCosigners(TrustPolicy.parse(f"witness A {key}\nquorum A\n".encode()))
    assert PolicyCosigners(TrustPolicy.parse(f"witness A {key}\nquorum none\n".encode()))
