"""The facts as the verifier has them, in a process of its own: no msgspec, no library.

Run with a verifier's file; for every line ``topic hex`` it answers with the hex of the fact read
and written again, or with ``-`` where it cannot be read.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def main(program: str) -> None:
    names = {"__name__": "verify", "__file__": program}
    exec(compile(Path(program).read_text(encoding="utf-8"), program, "exec"), names)
    sys.meta_path.insert(0, names["Sources"]())
    for name in names["SOURCES"]:
        import_module(name)
    facts = import_module("ledger.facts")
    errors = import_module("ledger.errors")
    assert "verify.py" in import_module("msgspec").__spec__.origin
    if len(sys.argv) > 2:
        for topic, fact in facts.catalogue().items():
            print(topic, *fact.__struct_fields__)
        return
    for line in sys.stdin:
        topic, state = line.split()
        try:
            print(facts.encode(facts.decode(topic, bytes.fromhex(state))).hex(), flush=True)
        except errors.CorruptFact:
            print("-", flush=True)


main(sys.argv[1])
