"""The Merkle tree (默克尔树) of RFC 6962: hashing, proofs made, and proofs checked.

Leaves are numbered from 0, so the entry at position N of the log is leaf N - 1. Standard library
only: the auditor's verifier carries this file as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256().digest()

Subtree = Callable[[int, int], bytes]
"""Level and index to the hash of the complete subtree over leaves index·2^level and on."""


class ProofInvalid(Exception):
    """A proof does not show what it should; the message says why."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry), RFC 6962 section 2.1."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right), RFC 6962 section 2.1."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: the roots of its complete subtrees, largest first.

    At most one hash for every bit of the size, so that a tree of any size is extended in constant
    memory.
    """

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if len(self.hashes) != size.bit_count():
            raise ValueError(f"{size} leaves have {size.bit_count()} complete subtrees")

    def add(self, leaf: bytes) -> None:
        """Append the hash of the next leaf."""
        self.size += 1
        carry, size = leaf, self.size
        while size % 2 == 0:
            carry = node_hash(self.hashes.pop(), carry)
            size //= 2
        self.hashes.append(carry)

    def root(self) -> bytes:
        """The hash of the whole tree."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root


def frontier_at(read: Subtree, size: int) -> Frontier:
    """The right edge of the tree of the first ``size`` leaves."""
    hashes, start = [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            hashes.append(read(level, start >> level))
            start += 1 << level
    return Frontier(size, hashes)


def inclusion_proof(read: Subtree, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962 section 2.1.1, from the leaf's sibling upwards."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_hash(read, middle, end))
            end = middle
        else:
            path.append(_hash(read, start, middle))
            start = middle
    return path[::-1]


def consistency_proof(read: Subtree, old: int, size: int) -> list[bytes]:
    """PROOF(old, D[size]) of RFC 6962 section 2.1.2; empty from 0 and between equal sizes."""
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {old} is no beginning of one of {size}")
    start, end, path = 0, size, []
    while 0 < old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_hash(read, middle, end))
            end = middle
        else:
            path.append(_hash(read, start, middle))
            start = middle
    if start:  # The old tree does not fill the left side: its last complete subtree is needed.
        path.append(_hash(read, start, end))
    return path[::-1]


def check_inclusion(
    proof: Sequence[bytes], index: int, size: int, leaf: bytes, root: bytes
) -> None:
    """Raises ProofInvalid unless the leaf is in the tree, RFC 9162 section 2.1.3.2."""
    if not 0 <= index < size:
        raise ProofInvalid(f"leaf {index} is not in a tree of {size}")
    if len(leaf) != len(EMPTY_ROOT):
        raise ProofInvalid("the leaf is no hash")
    seen = leaf
    for sibling, on_the_left in _climb(proof, index, size - 1):
        seen = node_hash(sibling, seen) if on_the_left else node_hash(seen, sibling)
    if seen != root:
        raise ProofInvalid("the proof leads to another root")


def check_consistency(
    proof: Sequence[bytes], old: int, size: int, old_root: bytes, root: bytes
) -> None:
    """Raises ProofInvalid unless the tree only adds to the old one, RFC 9162 section 2.1.4.2.

    From an empty tree nothing is shown, so an ``old`` of 0 is refused; who means to accept it
    (a witness meeting a log for the first time) says so before asking.
    """
    if not 0 < old <= size:
        raise ProofInvalid(f"no proof leads from a tree of {old} to one of {size}")
    if old == size:
        if proof or old_root != root:
            raise ProofInvalid("two trees of one size with different roots, or a needless proof")
        return
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path or not proof:
        raise ProofInvalid("the proof is empty")
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old_seen = seen = path[0]
    for sibling, on_the_left in _climb(path[1:], fn, sn):
        if on_the_left:
            old_seen, seen = node_hash(sibling, old_seen), node_hash(sibling, seen)
        else:
            seen = node_hash(seen, sibling)
    if old_seen != old_root or seen != root:
        raise ProofInvalid("the proof leads to other roots")


def _climb(siblings: Sequence[bytes], fn: int, sn: int) -> Iterator[tuple[bytes, bool]]:
    """Each sibling on the way to the root, and whether it is on the left.

    ``fn`` and ``sn`` are RFC 9162's: where on its level the node is, and the level's last.
    """
    for sibling in siblings:
        if sn == 0:
            raise ProofInvalid("the proof is too long")
        on_the_left = bool(fn & 1) or fn == sn
        yield sibling, on_the_left
        while on_the_left and not fn & 1 and fn:
            fn, sn = fn >> 1, sn >> 1
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofInvalid("the proof is too short")


def _split(count: int) -> int:
    """The largest power of two below ``count``, which is more than one."""
    return 1 << (count - 1).bit_length() - 1


def _hash(read: Subtree, start: int, end: int) -> bytes:
    """The hash over leaves [start, end), a subtree of the tree's recursion."""
    count = end - start
    if count & (count - 1) == 0:
        return read(count.bit_length() - 1, start >> count.bit_length() - 1)
    middle = start + _split(count)
    return node_hash(_hash(read, start, middle), _hash(read, middle, end))
