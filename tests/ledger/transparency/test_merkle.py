"""The Merkle tree: public vectors, every proof of every small tree, and proofs that are not."""

from __future__ import annotations

import json
from base64 import b64decode
from hashlib import sha256

import pytest

from ledger.transparency.merkle import (
    EMPTY_ROOT,
    Frontier,
    ProofInvalid,
    check_consistency,
    check_inclusion,
    consistency_proof,
    frontier_at,
    inclusion_proof,
    leaf_hash,
    node_hash,
)

SIZES = 70


def mth(leaves):
    """MTH of RFC 6962 section 2.1, word by word."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


LEAVES = [str(number).encode() for number in range(SIZES)]
ROOTS = [mth(LEAVES[:size]) for size in range(SIZES + 1)]


def subtree(level, index):
    return mth(LEAVES[index << level : index + 1 << level])


def hashes(texts):
    return [b64decode(text) for text in texts or ()]


def test_the_public_constants_of_rfc_6962(shared_data):
    """Leaves, nodes and roots of the public test tree are those everybody else computes."""
    told = json.loads((shared_data / "vectors" / "rfc6962_constants.json").read_text())
    frontier = Frontier()
    roots = [frontier.root().hex()]
    for leaf in told["leaf_inputs_hex"]:
        frontier.add(leaf_hash(bytes.fromhex(leaf)))
        roots.append(frontier.root().hex())
    assert roots == told["root_hash_by_size_hex"]
    leaves, *above = told["node_hashes_by_level_hex"]
    assert leaves == [leaf_hash(bytes.fromhex(one)).hex() for one in told["leaf_inputs_hex"]]
    for below, level in zip([leaves, *above], above, strict=False):
        pairs = zip(below[::2], below[1::2], strict=True)
        made = [node_hash(bytes.fromhex(a), bytes.fromhex(b)).hex() for a, b in pairs]
        assert made == level
    for case in told["hasher"]:
        parts = [bytes.fromhex(case[key]) for key in ("data", "left", "right") if key in case]
        make = {"empty": lambda: EMPTY_ROOT, "leaf": leaf_hash, "node": node_hash}[case["op"]]
        assert make(*parts).hex() == case["want"], case["desc"]


def proof_files(shared_data, folder):
    files = sorted((shared_data / "vectors" / folder).rglob("*.json"))
    assert len(files) == 98
    return [(path, json.loads(path.read_text())) for path in files]


def test_every_public_inclusion_vector(shared_data):
    """98 inclusion proofs: 6 are accepted, 92 refused, as they must be."""
    accepted = 0
    for path, told in proof_files(shared_data, "inclusion"):
        leaf, root = b64decode(told["leafHash"] or ""), b64decode(told["root"] or "")
        try:
            check_inclusion(
                hashes(told["proof"]), told["leafIdx"], told["treeSize"], leaf, root
            )
            refused = False
        except ProofInvalid:
            refused = True
        assert refused == told["wantErr"], path
        accepted += not refused
    assert accepted == 6


def test_every_public_consistency_vector(shared_data):
    """98 consistency proofs: 6 are accepted, 92 refused, as they must be."""
    accepted = 0
    for path, told in proof_files(shared_data, "consistency"):
        old_root, root = b64decode(told["root1"] or ""), b64decode(told["root2"] or "")
        try:
            check_consistency(
                hashes(told["proof"]), told["size1"], told["size2"], old_root, root
            )
            refused = False
        except ProofInvalid:
            refused = True
        assert refused == told["wantErr"], path
        accepted += not refused
    assert accepted == 6


def test_a_frontier_has_the_root_of_every_size():
    """Grown leaf by leaf or taken up at any size, the right edge gives the tree's root."""
    frontier = Frontier()
    for size, leaf in enumerate(LEAVES):
        assert frontier.root() == frontier_at(subtree, size).root() == ROOTS[size]
        frontier.add(leaf_hash(leaf))
    assert frontier.root() == ROOTS[SIZES]
    with pytest.raises(ValueError, match="complete subtrees"):
        Frontier(3, [EMPTY_ROOT])


def test_every_inclusion_proof_and_every_flipped_hash():
    """Each leaf of each size is proven; no proof holds with a hash flipped, cut or added to."""
    for size in range(1, SIZES + 1):
        for index in range(size):
            leaf, root = leaf_hash(LEAVES[index]), ROOTS[size]
            proof = inclusion_proof(subtree, index, size)
            check_inclusion(proof, index, size, leaf, root)
            wrong = [[*proof[:i], EMPTY_ROOT, *proof[i + 1 :]] for i in range(len(proof))]
            wrong += [proof[:-1], [*proof, EMPTY_ROOT]] if proof else [[EMPTY_ROOT]]
            for one in wrong:
                with pytest.raises(ProofInvalid):
                    check_inclusion(one, index, size, leaf, root)
            with pytest.raises(ProofInvalid, match="too long"):
                check_inclusion([*proof, EMPTY_ROOT], index, size, leaf, root)
            with pytest.raises(ProofInvalid):
                check_inclusion(proof, index, size, EMPTY_ROOT, root)
    for index in (-1, SIZES):
        with pytest.raises(ValueError, match="is not in a tree"):
            inclusion_proof(subtree, index, SIZES)


def test_every_consistency_proof_and_every_flipped_hash():
    """Each pair of sizes is proven; no proof holds with a hash flipped, cut or added to."""
    for size in range(1, SIZES + 1):
        for old in range(1, size + 1):
            proof = consistency_proof(subtree, old, size)
            check_consistency(proof, old, size, ROOTS[old], ROOTS[size])
            wrong = [[*proof[:i], EMPTY_ROOT, *proof[i + 1 :]] for i in range(len(proof))]
            wrong += [proof[:-1], [*proof, EMPTY_ROOT]] if proof else [[EMPTY_ROOT]]
            for one in wrong:
                with pytest.raises(ProofInvalid):
                    check_consistency(one, old, size, ROOTS[old], ROOTS[size])
            with pytest.raises(ProofInvalid, match="too long" if old < size else "needless"):
                check_consistency([*proof, EMPTY_ROOT], old, size, ROOTS[old], ROOTS[size])
            for roots in ((EMPTY_ROOT, ROOTS[size]), (ROOTS[old], EMPTY_ROOT)):
                with pytest.raises(ProofInvalid):
                    check_consistency(proof, old, size, *roots)
        assert consistency_proof(subtree, 0, size) == []
        with pytest.raises(ProofInvalid):
            check_consistency([], 0, size, EMPTY_ROOT, ROOTS[size])
    with pytest.raises(ValueError, match="no beginning"):
        consistency_proof(subtree, 3, 2)
