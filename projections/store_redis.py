"""Rows of views in Redis or Valkey: a copy to read from, which decides nothing and may vanish.

Keys of a view, all in one hash slot: ``{gwc:<view>}:generations`` (hash, generation → state),
and of a generation ``:<g>:head`` (hash), ``:<g>:rows`` (hash, key → bucket, sort, data),
``:<g>:in:<bucket>`` (sorted set, all scores 0, so the order is that of the members' bytes) and
``:<g>:counts`` (hash, bucket → members of its set). Memory policy must be ``noeviction``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from projections.breaker import Breaker
from projections.redis_scripts import BEGIN, FETCH, PAGE, RANK, SWAP, WRITE
from projections.store import BUILDING, LIVE, Batch, Head, ViewNotReady, named
from projections.view import START, Place, Row, View

TIMEOUT_SECONDS = 0.3
WRITE_TIMEOUT_SECONDS = 10.0  # A reader has the database to turn to; the follower waits.
ROWS_PER_SCAN = 1_000
GENERATION_BITS = 48
KEYS_PER_READ = 1_000
GENERATION_KEYS = ("head", "rows", "counts")

T = TypeVar("T")


class RedisStore:
    """A Store in Redis or Valkey; safe for threads and forks, connected when first used.

    A server that does not answer costs one reader one timeout, and the next ones nothing.
    """

    name = "redis"

    def __init__(self, url: str, namespace: str = "gwc") -> None:
        self._namespace = namespace
        self._client = _client(url, TIMEOUT_SECONDS)
        self._writer = _client(url, WRITE_TIMEOUT_SECONDS)
        self._write_script = self._writer.register_script(WRITE)
        self._swap_script = self._writer.register_script(SWAP)
        self._begin_script = self._writer.register_script(BEGIN)
        self._fetch_script = self._client.register_script(FETCH)
        self._page_script = self._client.register_script(PAGE)
        self._rank_script = self._client.register_script(RANK)
        self._breaker = Breaker(
            "redis",
            self._client.ping,
            redis.RedisError,
            (redis.ConnectionError, redis.TimeoutError),
        )
        self._known: dict[tuple[str, int], int] = {}

    # Questions

    def fetch(self, view: View, key: str) -> tuple[int, bytes | None]:
        def ask(generation: int) -> tuple[int, bytes | None] | None:
            found = self._fetch_script(
                keys=[
                    self._key(view.name, generation, "head"),
                    self._key(view.name, generation, "rows"),
                    self._key(view.name, "generations"),
                ],
                args=[key, generation],
            )
            if not found or found[0] is None:
                return None
            return int(found[0]), found[1] and found[1].split(b"\0", 2)[2]

        return self._of_the_live_one(view, ask)

    def page(
        self, view: View, bucket: str, after: Place, limit: int, *, backwards: bool = False
    ) -> tuple[int, list[Row]]:
        def ask(generation: int) -> tuple[int, list[Row]] | None:
            found = self._page_script(
                keys=self._listed(view.name, generation, bucket),
                args=[_member(after), generation, bucket, limit, "back" if backwards else "on"],
            )
            if not found:
                return None
            pairs = zip(found[1::2], found[2::2], strict=True)
            return int(found[0]), [_unpacked(key, packed) for key, packed in pairs]

        return self._of_the_live_one(view, ask)

    def rank(self, view: View, bucket: str, place: Place) -> tuple[int, int]:
        def ask(generation: int) -> tuple[int, int] | None:
            found = self._rank_script(
                keys=self._listed(view.name, generation, bucket),
                args=[_member(place), generation, bucket],
            )
            return (int(found[0]), found[1]) if found else None

        return self._of_the_live_one(view, ask)

    def _listed(self, name: str, generation: int, bucket: str) -> list[str]:
        """The keys that a question about a bucket needs."""
        head, rows, counts = (self._key(name, generation, one) for one in GENERATION_KEYS)
        members = self._key(name, generation, "in", bucket)
        return [head, rows, members, self._key(name, "generations"), counts]

    def _of_the_live_one(self, view: View, ask: Callable[[int], T | None]) -> T:
        """Ask the generation that was live last time; find the live one if it no longer is."""
        known = view.name, view.version
        with self._breaker.closed():
            if known in self._known and (answer := ask(self._known[known])) is not None:
                return answer
            for head in self._heads(view.name):
                if head.state == LIVE and head.version == view.version:
                    self._known[known] = head.generation
                    if (answer := ask(head.generation)) is not None:
                        return answer
        raise ViewNotReady(view=view.name)

    # Following

    def heads(self) -> list[Head]:
        with self._breaker.closed():
            names = self._client.smembers(f"{self._namespace}:views")
            return [head for name in names for head in self._heads(name.decode())]

    def _heads(self, name: str) -> list[Head]:
        # Each is told in one piece with the states, or asked again: a swap may come in between.
        states: dict[bytes, bytes] = {}
        while True:
            with self._client.pipeline(transaction=True) as pipe:
                pipe.hgetall(self._key(name, "generations"))
                for generation in states:
                    pipe.hgetall(self._key(name, int(generation), "head"))
                    pipe.hlen(self._key(name, int(generation), "rows"))
                    pipe.hlen(self._key(name, int(generation), "counts"))
                now, *found = pipe.execute()
            if now == states:
                break
            states = now
        return [
            _head(name, int(generation), state.decode(), fields, rows, sets)
            for (generation, state), fields, rows, sets
            in zip(states.items(), found[::3], found[1::3], found[2::3], strict=True)
        ]  # fmt: skip

    def begin(self, view: View) -> Head:
        generation = secrets.randbits(GENERATION_BITS)
        head = Head(view=view.name, version=view.version, generation=generation, state=BUILDING)
        fields = [str(word) for pair in _fields(head).items() for word in pair]
        with self._breaker.closed():
            self._writer.sadd(f"{self._namespace}:views", view.name)
            self._begin_script(
                keys=[
                    self._key(view.name, "generations"),
                    self._key(view.name, generation, "head"),
                ],
                args=[generation, *fields],
            )
        return head

    def rows(self, head: Head, keys: Sequence[str]) -> dict[str, Row]:
        found: dict[str, Row] = {}
        with self._breaker.closed():
            for start in range(0, len(keys), KEYS_PER_READ):
                part = keys[start : start + KEYS_PER_READ]
                values = self._writer.hmget(self._key(head.view, head.generation, "rows"), part)
                for key, packed in zip(part, values, strict=True):
                    if packed is not None:
                        found[key] = _unpacked(key.encode(), packed)
        return found

    def write(self, batches: Sequence[Batch]) -> list[bool]:
        with self._breaker.closed():
            return [self._write(batch) for batch in batches]

    def _write(self, batch: Batch) -> bool:
        before, after = batch.before, batch.after
        name, generation = before.view, before.generation
        keys = [self._key(name, generation, part) for part in GENERATION_KEYS]
        keys.append(self._key(name, "generations"))
        sets: dict[str, int] = {}

        def number(bucket: str) -> int:
            if bucket not in sets:
                keys.append(self._key(name, generation, "in", bucket))
                sets[bucket] = len(keys)
            return sets[bucket]

        words: list[Any] = []
        for old, new in ((one.old, one.new) for one in batch.changes):
            if old and old.bucket and not (new and _same_place(old, new)):
                words += ["out", old.key, number(old.bucket), _member(old.place), old.bucket]
            if new and new.bucket and not (old and _same_place(old, new)):
                words += ["in", new.key, number(new.bucket), _member(new.place), new.bucket]
            if new:
                words += ["row", new.key, _packed(named(new)), "", ""]
            elif old:
                words += ["gone", old.key, "", "", ""]
        given = msgspec.json.encode({key: str(value) for key, value in _fields(after).items()})
        args = [before.position, before.digest, generation, given, *words]
        return bool(self._write_script(keys=keys, args=args))

    def swap(self, new: Head, old: Head | None) -> bool:
        with self._breaker.closed():
            return bool(
                self._swap_script(
                    keys=[
                        self._key(new.view, "generations"),
                        self._key(new.view, new.generation, "head"),
                        self._key(new.view, old.generation if old else 0, "head"),
                    ],
                    args=[
                        new.generation, old.generation if old else "", old.position if old else "",
                    ],
                )
            )  # fmt: skip

    def drop(self, head: Head) -> None:
        name, generation = head.view, head.generation
        with self._breaker.closed():
            counts = self._key(name, generation, "counts")
            for bucket, _ in self._writer.hscan_iter(counts, count=ROWS_PER_SCAN):
                self._writer.unlink(self._key(name, generation, "in", bucket.decode()))
            self._writer.unlink(*(self._key(name, generation, part) for part in GENERATION_KEYS))
            self._writer.hdel(self._key(name, "generations"), generation)

    def scan(self, head: Head) -> Iterator[Row]:
        with self._breaker.closed():
            rows = self._key(head.view, head.generation, "rows")
            seen = dict(self._writer.hscan_iter(rows, count=ROWS_PER_SCAN))
        for key, packed in seen.items():
            yield _unpacked(key, packed)

    def close(self) -> None:
        self._client.close()
        self._writer.close()

    def _key(self, name: str, *parts: object) -> str:
        return ":".join((f"{{{self._namespace}:{name}}}", *map(str, parts)))


def _client(url: str, timeout: float) -> Any:
    # The default retries make a dead server cost four seconds a call.
    return redis.Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=TIMEOUT_SECONDS,
        socket_timeout=timeout,
    )


def _head(
    name: str, generation: int, state: str, fields: dict[bytes, bytes], rows: int, sets: int
) -> Head:
    if not fields:
        return Head(view=name, version=0, generation=generation, state=state, hollow=True)
    text = {key.decode(): value.decode() for key, value in fields.items()}
    whole = int(text["rows"]) == rows and int(text.get("sets", 0)) == sets
    return Head(
        view=name, version=int(text["version"]), generation=generation, state=state,
        position=int(text["position"]), anchor=text["anchor"], digest=text["digest"],
        rows=int(text["rows"]), hollow=not whole or "hollow" in text,
    )  # fmt: skip


def _fields(head: Head) -> dict[str, object]:
    return {
        "version": head.version,
        "position": head.position,
        "anchor": head.anchor,
        "digest": head.digest,
        "rows": head.rows,
    }


def _member(place: Place) -> bytes:
    sort, key = place
    return b"" if place == START else f"{sort}\0{key}".encode()


def _same_place(old: Row, new: Row) -> bool:
    return old.bucket == new.bucket and old.sort == new.sort


def _packed(row: Row) -> bytes:
    return b"\0".join((row.bucket.encode(), row.sort.encode(), row.data))


def _unpacked(key: bytes, packed: bytes) -> Row:
    bucket, sort, data = packed.split(b"\0", 2)
    return Row(key.decode(), data, bucket.decode(), sort.decode())
