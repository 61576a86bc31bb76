"""The stand-in for msgspec: it reads, refuses and writes every fact as msgspec does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import facts
from ledger.errors import CorruptFact
from ledger.facts import catalogue
from tests.ledger.audit.conftest import BESIDE_THE_LOG

PEER = Path(__file__).with_name("peer.py")
STORED = Path(__file__).parents[1] / "stored"
TOPICS = sorted(set(catalogue()) - BESIDE_THE_LOG)
SAMPLES = {topic: json.loads((STORED / f"{topic}.json").read_text()) for topic in TOPICS}

Peer = Callable[[str, bytes], bytes | None]


@pytest.fixture(scope="module")
def program(honest) -> Path:
    return honest / "verify.py"


@pytest.fixture(scope="module")
def peer(program) -> Iterator[Peer]:
    """A fact read and written again by the verifier; None for one it refuses."""
    with subprocess.Popen(
        [sys.executable, "-I", PEER, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout

        def ask(topic: str, state: bytes) -> bytes | None:
            process.stdin.write(f"{topic} {state.hex() or '20'}\n")
            process.stdin.flush()
            told = process.stdout.readline().strip()
            return None if told == "-" else bytes.fromhex(told)

        yield ask
        process.stdin.close()


def ours(topic: str, state: bytes) -> bytes | None:
    """The same by msgspec."""
    try:
        return facts.encode(facts.decode(topic, state))
    except CorruptFact:
        return None


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=8),
    st.uuids().map(str), st.dates().map(str), st.datetimes().map(lambda t: f"{t.isoformat()}Z"),
    st.sampled_from([
        "2026-01-02T03:04:05+08:00", "2026-01-02 03:04:05.123456789-0130", "2026-1-2", "",
        "2026-01-02T24:00:00Z", "0000-01-01", "valid", "met", 1e16, 1e-7, 1.25e-5, -0.0,
        "6A1F4B527A525c0e9d0b6c7a3f9e2d10", "{6a1f4b52-7a52-5c0e-9d0b-6c7a3f9e2d10}",
    ]),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner,
                                                                max_size=3),
    max_leaves=5,
)  # fmt: skip


@st.composite
def changed_facts(draw) -> tuple[str, bytes]:
    """A stored fact with some of its values changed, left out, added or moved."""
    topic = draw(st.sampled_from(TOPICS))
    value = json.loads(json.dumps(draw(st.sampled_from(_listed(SAMPLES[topic])))))
    for _ in range(draw(st.integers(0, 2))):
        inside = draw(st.sampled_from(_containers(value)))
        keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        kind = draw(st.sampled_from(["put", "drop", "add"]))
        if kind == "add" or not keys:
            _put(inside, draw(st.text(max_size=5)), draw(values))
        elif kind == "drop":
            del inside[draw(st.sampled_from(keys))]
        else:
            inside[draw(st.sampled_from(keys))] = draw(values)
    text = json.dumps(value, ensure_ascii=draw(st.booleans()), allow_nan=True,
                      separators=draw(st.sampled_from([(",", ":"), (", ", " : ")])))  # fmt: skip
    return topic, text.encode(errors="surrogatepass")


def _listed(samples: object) -> list[object]:
    return samples if isinstance(samples, list) else [samples]


def _put(inside: dict | list, key: str, value: object) -> None:
    if isinstance(inside, dict):
        inside[key] = value
    else:
        inside.append(value)


def _containers(value: object) -> list[dict | list]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = [one for each in inner for one in _containers(each)]
    return [value, *found] if isinstance(value, dict | list) else found


relaxed = settings(
    max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_every_fact_has_the_same_fields_in_the_same_order(program):
    """Classes are laid out alike, whatever they inherit."""
    ran = subprocess.run([sys.executable, "-I", PEER, program, "fields"], capture_output=True,
                         text=True, check=True)  # fmt: skip
    told = {line.split()[0]: tuple(line.split()[1:]) for line in ran.stdout.splitlines()}
    assert told == {topic: fact.__struct_fields__ for topic, fact in catalogue().items()}


def test_every_entry_of_a_town_is_read_and_written_the_same(honest, peer, signer):
    """The bytes of real facts come out as they went in."""
    from tests.ledger.verifier.forging import Forger

    for row in Forger(honest, signer).rows():
        assert peer(row.topic, row.state) == row.state == ours(row.topic, row.state)


@relaxed
@given(fact=changed_facts())
def test_changed_facts_are_read_or_refused_alike(peer, fact):
    """Wrong types, unknown fields, values out of bounds: refused by both, or the same by both."""
    assert peer(*fact) == ours(*fact)


@relaxed
@given(data=st.data())
def test_damaged_bytes_are_read_or_refused_alike(peer, data):
    """A byte changed, put in or taken out of a stored fact means the same to both.

    But for what is not UTF-8: msgspec passes over it in a field it does not know. Nothing of the
    kind is as the ledger writes it, so the audit by either finds it.
    """
    topic = data.draw(st.sampled_from(TOPICS))
    state = json.dumps(_listed(SAMPLES[topic])[0], ensure_ascii=False).encode()
    at = data.draw(st.integers(0, len(state) - 1))
    byte = data.draw(st.binary(max_size=2))
    state = state[:at] + byte + state[at + data.draw(st.integers(0, 1)) :]
    try:
        state.decode()
    except UnicodeDecodeError:
        assert peer(topic, state) is None
        assert ours(topic, state) != state
    else:
        assert peer(topic, state) == ours(topic, state)


@pytest.mark.parametrize(
    "state", [
        b"", b"null", b"[]", b'{"by":null}x', b'\xef\xbb\xbf{"by":null}', b'{"by":null,}',
        b'{"by":"\\ud800"}', b'{"by":NaN}', b'{"by":1e400}', b'{"by":"\xff"}', b"[" * 100_000,
        b'{"by":' + b"1" * 5_000 + b"}", b'{"by":"6A1F4B527A525c0e9d0b6c7a3f9e2d10"}',
        b'{"\\u0062y":null}', b' {"by" : null}\n', b"{'by':null}", b'{"by":"a\nb"}', b"{}",
    ],
    ids=range(18),
)  # fmt: skip
def test_what_is_no_fact_is_refused_alike(state, peer):
    """Odd JSON, no JSON, and JSON made to break a reader."""
    assert peer("token.revoked", state) == ours("token.revoked", state)
