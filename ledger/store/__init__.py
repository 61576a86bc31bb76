"""The store of the log: leaf hashes, recorders, merged commit."""

from ledger.store.leaf import entry_bytes, leaf_hash

__all__ = ["entry_bytes", "leaf_hash"]
