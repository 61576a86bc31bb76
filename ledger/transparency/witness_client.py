"""Asking one witness (见证人) for its cosignature, over HTTP; c2sp.org/tlog-witness.

What a witness answers is not believed: no redirect is followed, little is read, and only a
cosignature that holds under its key is taken.
"""

from __future__ import annotations

import re
import socket
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic
from urllib.parse import urlsplit

from ledger.transparency.checkpoints import SIZE_MAX
from ledger.transparency.merkle import Subtree, consistency_proof
from ledger.transparency.notes import Note, NoteInvalid, Signature
from ledger.transparency.signing import verify
from ledger.transparency.tiles import TileDamaged
from ledger.transparency.trust import Trusted

ANSWER_SECONDS_MAX = 1.0
ANSWER_BYTES_MAX = 16_384
TRIES = 3
REST_SECONDS, REST_SECONDS_MAX = 1.0, 16.0
NO_ANSWER, GARBLED, DAMAGED = "no_answer", "garbled", "tile_damaged"
CONNECTIONS = {"http": HTTPConnection, "https": HTTPSConnection}


class AddressInvalid(ValueError):
    """The address of a witness is not one that can be asked."""


class NotCosigned(Exception):
    """A witness answered something else; the message is the status, or what was wrong."""


class WitnessClient:
    """One witness: what it last knew, what it is busy with, how long it is left in peace.

    Raises AddressInvalid.
    """

    def __init__(self, trusted: Trusted) -> None:
        parts = urlsplit(trusted.url)
        if parts.scheme not in CONNECTIONS or not parts.hostname or not trusted.url.isascii():
            raise AddressInvalid(f"{trusted.url} is not http(s)://HOST[:PORT][/PATH]")
        self.trusted = trusted
        self.name = trusted.name.encode("latin-1").decode(errors="replace")
        self.size: int | None = None
        """The size it last told, or cosigned; None if that is not known."""
        self.problem = ""
        self.rests_until = 0.0
        self._path = f"{parts.path.rstrip('/')}/add-checkpoint"
        self._connection = CONNECTIONS[parts.scheme](
            parts.hostname, parts.port, timeout=ANSWER_SECONDS_MAX
        )
        self._socket: socket.socket | None = None
        self._given_up = False
        self._rest = REST_SECONDS

    def cosignature(self, note: Note, size: int, tree: Subtree) -> Signature | None:
        """Its cosignature on this checkpoint, or None; then ``problem`` says why."""
        self.problem, self._given_up = "", False
        try:
            found = self._asked(note, size, tree)
        except NotCosigned as error:
            self.problem = str(error)
        except (OSError, HTTPException):
            self.problem = NO_ANSWER
        except TileDamaged:
            self.problem = DAMAGED
        else:
            self._rest = REST_SECONDS
            return found
        self._connection.close()
        self.rests_until = monotonic() + self._rest
        self._rest = min(2 * self._rest, REST_SECONDS_MAX)
        return None

    def give_up(self) -> None:
        """End what it is busy with, from another thread: a second has to be enough."""
        self._given_up = True
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _asked(self, note: Note, size: int, tree: Subtree) -> Signature:
        """Raises NotCosigned, and whatever the connection or the tiles raise."""
        # Most often it knows what it cosigned last; a wrong guess is answered with what it knows.
        old = size if self.size is None else min(self.size, size)
        for _ in range(TRIES):
            status, content = self._post(_request(old, consistency_proof(tree, old, size), note))
            if status == 200:
                found = self._cosignature_in(content, note)
                self.size = size
                return found
            if status != 409:
                raise NotCosigned(str(status))
            self.size = _size_in(content)
            if self.size == old or self.size > size:
                break
            old = self.size
        raise NotCosigned("409")

    def _post(self, body: bytes) -> tuple[int, bytes]:
        """Status and content; once more where only the connection kept open has ended."""
        kept = self._connection.sock is not None
        try:
            return self._exchange(body)
        except (OSError, HTTPException):
            self._connection.close()
            if not kept or self._given_up:
                raise
        return self._exchange(body)

    def _exchange(self, body: bytes) -> tuple[int, bytes]:
        self._connection.request("POST", self._path, body, {"Content-Type": "text/plain"})
        self._socket = self._connection.sock
        response = self._connection.getresponse()
        content = response.read(ANSWER_BYTES_MAX + 1)
        if len(content) > ANSWER_BYTES_MAX:
            raise NotCosigned(GARBLED)
        return response.status, content

    def _cosignature_in(self, content: bytes, note: Note) -> Signature:
        """The line of its own key; lines of other keys are passed over."""
        key = self.trusted.key
        try:
            lines = [Signature.parse(line) for line in content.decode().splitlines()]
            Note(note.text, tuple(lines)).signed_by([key], verify)
        except (UnicodeDecodeError, NoteInvalid):
            raise NotCosigned(GARBLED) from None
        ours = [one for one in lines if (one.name, one.key_id) == (key.name, key.key_id)]
        if not ours:
            raise NotCosigned(GARBLED)
        return ours[0]


def _request(old: int, proof: Sequence[bytes], note: Note) -> bytes:
    lines = [f"old {old}", *(b64encode(one).decode() for one in proof), "", ""]
    return "\n".join(lines).encode() + bytes(note)


def _size_in(content: bytes) -> int:
    found = re.fullmatch(rb"(0|[1-9][0-9]{0,18})\n", content)
    if found is None or int(found[1]) > SIZE_MAX:
        raise NotCosigned(GARBLED)
    return int(found[1])
