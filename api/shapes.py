"""Shapes (字段) that the bodies and queries of several routes share."""

from __future__ import annotations

from typing import Annotated

import msgspec

from api.routing import MinPosition

# Something that can be seen, and nothing that cannot.
NO_CONTROLS = r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]*$(?!\n)"
AMOUNT_MAX = 1_000_000

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=NO_CONTROLS)]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"[^\s\x00-\x1f]")]
DistrictCode = Annotated[str, msgspec.Meta(pattern=r"^[\w.-]{1,40}$(?!\n)")]
Coins = Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_MAX)]


class Command(msgspec.Struct):
    """All is said by the address; the body has nothing but its ``submission_id``."""


class Fresh(msgspec.Struct):
    """How fresh the answer must be."""

    min_position: MinPosition = 0
