"""Shapes (字段) that the bodies and queries of several routes share."""

from __future__ import annotations

from typing import Annotated

import msgspec

from api.routing import MinPosition
from ledger import districts
from ledger.words import PUBLIC, READABLE

AMOUNT_MAX = 1_000_000

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=READABLE)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=PUBLIC)]
"""What something is called in the log, where everybody may read it."""
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"[^\s\x00-\x1f]")]
DistrictCode = districts.DistrictCode
Coins = Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_MAX)]


class Command(msgspec.Struct):
    """All is said by the address; the body has nothing but its ``submission_id``."""


class Fresh(msgspec.Struct):
    """How fresh the answer must be."""

    min_position: MinPosition = 0
