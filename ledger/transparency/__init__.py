"""The log as a transparency log (透明日志): a Merkle tree, signed checkpoints, proofs."""
