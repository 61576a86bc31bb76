"""Photos (照片) as they come in: which they are, told by their first bytes."""

from __future__ import annotations

from ledger.contributions.evidence import Photo
from ledger.errors import InvalidInput

JPEG, PNG, WEBP, HEIC = "image/jpeg", "image/png", "image/webp", "image/heic"
MEDIA_TYPES = (JPEG, PNG, WEBP, HEIC)
BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
STARTS = ((b"\xff\xd8\xff", JPEG), (b"\x89PNG\r\n\x1a\n", PNG))


class NotAPhoto(InvalidInput):
    code = "not_a_photo"
    zh = "附件不是照片；请使用 JPEG、PNG、WebP 或 HEIC 格式重新拍摄。"
    en = "What was attached is no photo; take it again as JPEG, PNG, WebP or HEIC."


class DigestMismatch(InvalidInput):
    code = "digest_mismatch"
    zh = "收到的内容与地址中的 SHA-256 摘要不符，可能传输不完整；请重新上传。"
    en = "What came has not the SHA-256 of its address; part of it may be lost, so send it again."


def photo_of(content: bytes) -> Photo:
    """A photo by what it is, whatever its name and type say; raises NotAPhoto."""
    for start, media_type in STARTS:
        if content.startswith(start):
            return Photo(media_type, content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return Photo(WEBP, content)
    if content[4:8] == b"ftyp" and content[8:12] in BRANDS:
        return Photo(HEIC, content)
    raise NotAPhoto
