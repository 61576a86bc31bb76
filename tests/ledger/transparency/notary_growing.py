"""A log in memory that is signed at chosen sizes into a folder."""

from __future__ import annotations

from ledger.store.leaf import entry_bytes
from ledger.transparency.notary import Notary
from ledger.transparency.signing import Signer, new_key
from ledger.transparency.tiles import LogFolder
from tests.ledger.transparency.notary_logs import ORIGIN, Rows, Tree, files_of, published, row


class Growing:
    """A log in memory that is signed at chosen sizes."""

    def __init__(self, path, last):
        self.rows, self.folder, self.pem = Rows(), LogFolder(path), new_key()
        self.entries = [entry_bytes(row(position)) for position in range(1, last + 1)]
        self.tree = Tree([row(position).leaf_hash for position in range(1, last + 1)])
        self.published, self.passed = [], []
        self.notary = self.another()

    def another(self):
        return Notary(self.rows, self.folder, Signer(ORIGIN, self.pem), passed=self.passed.append)

    def sign(self, size):
        """Grow the log to this size and sign it, batch by batch."""
        self.rows.count = size
        while (done := self.notary.step()) < size:
            self.published.append(published(self.folder))
        self.published.append(published(self.folder))
        assert done == size

    def on_disk(self):
        found = [one for one in self.folder.path.rglob("*") if one.is_file()]
        names = {one.relative_to(self.folder.path).as_posix() for one in found}
        return names - {"checkpoint", ".lock"}

    def faults(self, size):
        """Files of a tree of this size that are missing or are not what the entries give."""
        for name, content in files_of(self.entries, self.tree, size).items():
            path = self.folder.path / name
            # A partial tile may be gone once the whole one is there.
            path = path if path.exists() else path.parent.with_suffix("")
            if not path.is_file() or not path.read_bytes().startswith(content):
                yield name


class Damage:
    """Flips a bit of a file as soon as it is written, once."""

    def __init__(self, path):
        self.path, self.done = path, False

    def passed(self, step):
        if step == "written" and not self.done:
            self.done = True
            content = bytearray(self.path.read_bytes())
            content[-1] ^= 1
            self.path.write_bytes(content)
