"""Photos (照片) that come with a form: which they are, told by their first bytes."""

from __future__ import annotations

from api.openrosa.refusals import NotAPhoto
from ledger.photos import Photo

HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
STARTS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))


def photo_of(content: bytes) -> Photo:
    """A photo by what it is, whatever its name and type say; raises NotAPhoto."""
    for start, media_type in STARTS:
        if content.startswith(start):
            return Photo(media_type, content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return Photo("image/webp", content)
    if content[4:8] == b"ftyp" and content[8:12] in HEIC:
        return Photo("image/heic", content)
    raise NotAPhoto
