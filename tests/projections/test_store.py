"""The contract that every store of views keeps."""

from __future__ import annotations

from secrets import token_hex

import msgspec
import pytest

from projections.folding import digest_of
from projections.store import Batch, Change, Head, RowRefused, ViewNotReady, live
from projections.store_redis import RedisStore
from projections.view import START, Row, View, ascending


class Plain(View):
    """A view of nothing, to put rows in by hand."""

    name, version, facts = "plain", 1, ()

    def touches(self, entry):
        return ()

    def fold(self, rows, entry):
        pass


PLAIN = Plain()


def a_row(number: int, bucket: str = "b", data: bytes = b"{}") -> Row:
    return Row(f"k{number}", data, bucket, ascending(number))


def a_batch(head: Head, *changes: tuple[Row | None, Row | None]) -> Batch:
    rows = head.rows + sum((new is not None) - (old is not None) for old, new in changes)
    after = msgspec.structs.replace(
        head, position=head.position + 10, anchor="a", digest=f"{head.position + 1:064x}", rows=rows
    )
    return Batch(head, after, [Change(*pair) for pair in changes])


@pytest.fixture
def head(store) -> Head:
    """A live generation with rows 1 to 5 in one bucket and one row in none."""
    head = store.begin(PLAIN)
    rows = [(None, a_row(number)) for number in (3, 1, 5, 2, 4)]
    batch = a_batch(head, *rows, (None, Row("alone", b"[1]")))
    assert store.write([batch]) == [True]
    assert store.swap(batch.after, None)
    return live(store.heads(), "plain")


def test_what_was_written_is_read_back(store, head):
    """A row is found by its key with exactly its bytes, and the answer names its position."""
    assert store.fetch(PLAIN, "alone") == (10, b"[1]")
    assert store.fetch(PLAIN, "k9") == (10, None)
    assert store.rows(head, ["k1", "k9", "alone"]) == {
        "k1": a_row(1), "alone": Row("alone", b"[1]"),
    }  # fmt: skip
    assert (head.position, head.rows, head.hollow) == (10, 6, False)
    assert {row.key for row in store.scan(head)} == {"alone", "k1", "k2", "k3", "k4", "k5"}


def test_a_bucket_is_paged_in_order(store, head):
    """Pages follow (sort, key), both ways, and a rank counts those before."""
    position, page = store.page(PLAIN, "b", START, 2)
    assert (position, page) == (10, [a_row(1), a_row(2)])
    assert store.page(PLAIN, "b", page[-1].place, 9)[1] == [a_row(3), a_row(4), a_row(5)]
    back = store.page(PLAIN, "b", a_row(4).place, 2, backwards=True)[1]
    assert back == [a_row(3), a_row(2)]
    assert store.page(PLAIN, "none", START, 2) == (10, [])
    assert store.rank(PLAIN, "b", a_row(4).place) == (10, 3)


def test_rows_of_equal_sort_are_ordered_by_key(store):
    """A tie is broken by the key, byte by byte, on every store alike."""
    head = store.begin(PLAIN)
    rows = [Row(key, b"1", "b", "s") for key in ("b", "a", "A", "a-", "aa", "é")]
    batch = a_batch(head, *((None, row) for row in rows))
    store.write([batch])
    store.swap(batch.after, None)
    keys = [row.key for row in store.page(PLAIN, "b", START, 9)[1]]
    assert keys == sorted(row.key for row in rows)


def test_a_changed_row_stands_where_it_now_belongs(store, head):
    """A row that moves leaves its old place and its old bucket; a row that goes is gone."""
    moved, other = a_row(1), a_row(2)
    batch = a_batch(
        head,
        (moved, Row("k1", b"2", "b", ascending(9))),
        (other, Row("k2", b"2", "c", ascending(1))),
        (a_row(3), None),
    )
    assert store.write([batch]) == [True]
    assert [row.key for row in store.page(PLAIN, "b", START, 9)[1]] == ["k4", "k5", "k1"]
    assert [row.key for row in store.page(PLAIN, "c", START, 9)[1]] == ["k2"]
    assert store.fetch(PLAIN, "k3") == (20, None)
    assert live(store.heads(), "plain").rows == 5


def test_a_batch_counts_once(store, head):
    """Delivered again, or made from any head but the stored one, a batch changes nothing."""
    batch = a_batch(head, (None, a_row(6)))
    gap = a_batch(batch.after, (None, a_row(7)))
    assert store.write([gap]) == [False]
    assert store.write([batch]) == [True]
    rival = a_batch(head, (None, a_row(8)))
    assert store.write([batch, rival]) == [False, False]
    assert store.fetch(PLAIN, "k6") == (20, b"{}")
    assert store.fetch(PLAIN, "k7") == store.fetch(PLAIN, "k8") == (20, None)


def test_a_swap_is_seen_at_once_and_ends_the_old_generation(store, head):
    """After the swap the new rows are read, and the old generation takes no batch any more."""
    new = a_batch(store.begin(PLAIN), (None, Row("alone", b"[2]")))
    store.write([new])
    assert store.fetch(PLAIN, "alone") == (10, b"[1]")
    assert store.swap(new.after, head)
    assert store.fetch(PLAIN, "alone") == (10, b"[2]")
    assert store.page(PLAIN, "b", START, 9) == (10, [])
    assert store.write([a_batch(head, (None, a_row(6)))]) == [False]
    for old in store.heads():
        if old.state in ("old", "retired"):
            store.drop(old)
    assert [one.generation for one in store.heads()] == [new.after.generation]
    assert list(store.scan(head)) == []


def test_a_swap_waits_for_what_it_was_compared_with(store, head):
    """When the live generation moved since it was compared, there is no swap."""
    new = a_batch(store.begin(PLAIN))
    store.write([new])
    store.write([a_batch(head, (None, a_row(6)))])
    assert not store.swap(new.after, head)
    assert store.fetch(PLAIN, "k6") == (20, b"{}")


def test_a_generation_that_was_replaced_ranks_nobody(store, head):
    """Whoever still knows the old generation ranks in the live one, never where it used to be."""
    assert store.rank(PLAIN, "b", a_row(4).place) == (10, 3)
    new = a_batch(store.begin(PLAIN), (None, a_row(3)), (None, a_row(4)))
    store.write([new])
    assert store.swap(new.after, None)
    assert store.rank(PLAIN, "b", a_row(4).place) == (10, 1)


def test_a_list_redis_lost_is_never_shown(redis_url, closing):
    """A lost sorted set is no empty list, also once a batch has moved rows out of it or into it."""
    store = closing(RedisStore(redis_url))
    begun = store.begin(PLAIN)
    batch = a_batch(begun, (None, a_row(1)), (None, a_row(2)))
    store.write([batch])
    store.swap(batch.after, None)
    store._writer.delete(store._key("plain", begun.generation, "in", "b"))
    moved = a_batch(batch.after, (a_row(1), None), (None, a_row(3)))
    assert store.write([moved]) == [True]
    for ask in (lambda: store.page(PLAIN, "b", START, 9),
                lambda: store.rank(PLAIN, "b", a_row(3).place)):  # fmt: skip
        with pytest.raises(ViewNotReady):
            ask()
    assert live(store.heads(), "plain").hollow


def test_only_one_generation_is_built_at_a_time(store, head):
    """Beginning again fences off whoever was building: their batches and their swap are refused."""
    first, second = store.begin(PLAIN), store.begin(PLAIN)
    assert store.write([a_batch(first)]) == [False]
    assert not store.swap(first, None)
    assert store.write([a_batch(second)]) == [True]


REFUSED = {"a\0b": ("sqlite", "postgres", "redis"), token_hex(6000): ("postgres",)}


@pytest.mark.parametrize("name", REFUSED, ids=["zero", "long"])
@pytest.mark.parametrize("field", ["key", "bucket", "sort"])
def test_a_name_a_store_cannot_keep_is_a_refused_row(name, field, store, head):
    """A store that has no room for a name says so of the row, never that it is down itself."""
    row = msgspec.structs.replace(a_row(6), **{field: name})
    batch = a_batch(head, (None, row))
    if store.name in REFUSED[name]:
        with pytest.raises(RowRefused):
            store.write([batch])
        assert store.fetch(PLAIN, row.key if field != "key" else "k6") == (10, None)
    else:
        assert store.write([batch]) == [True]
        assert store.rows(head, [row.key]) == {row.key: row}


def test_another_version_is_not_answered_from(store, head):
    """Code that folds differently never reads rows it did not make."""
    class Newer(Plain):
        version = 2

    with pytest.raises(ViewNotReady):
        store.fetch(Newer(), "alone")
    with pytest.raises(ViewNotReady):
        store.page(Newer(), "b", START, 1)


def test_a_digest_tells_sets_of_rows_apart():
    """The digest does not depend on the order, and changes with every part of a row."""
    rows = [a_row(1), a_row(2)]
    same = digest_of(rows)
    assert digest_of(reversed(rows)) == same
    for change in ({"key": "x"}, {"bucket": "x"}, {"sort": "x"}, {"data": b"x"}):
        assert digest_of([a_row(1), msgspec.structs.replace(a_row(2), **change)]) != same
    assert digest_of([Row("ab", b"", "c", "")]) != digest_of([Row("a", b"", "bc", "")])
