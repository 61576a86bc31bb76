"""Forms (表单): what pyxform makes of a campaign, with the digests by which phones see changes."""

from __future__ import annotations

from functools import lru_cache
from hashlib import md5, sha256
from uuid import UUID

import msgspec

from api.openrosa.sheets import QUOTES_BACK, sheets
from ledger.campaigns.campaign import Plan

FORMS_KEPT = 128
PREFIX = "visit-"


class Form(msgspec.Struct, frozen=True):
    """A form as a phone downloads it; its version is a digest of all that is in it."""

    version: str
    xml: bytes

    @property
    def hash(self) -> str:
        return fingerprint(self.xml)


def form_id(campaign_id: UUID) -> str:
    """The form's name, the same for every version of it."""
    return f"{PREFIX}{campaign_id}"


def campaign_of(form: str) -> UUID | None:
    """The campaign that a form is of; None for a form that is not ours."""
    try:
        named = UUID(form.removeprefix(PREFIX))
    except ValueError:
        return None
    return named if form == form_id(named) else None


def form_of(campaign_id: UUID, plan: Plan, *, listed: bool) -> Form:
    """The form of a campaign; a plan never changes, so it is made once in each process."""
    return _made(campaign_id, msgspec.json.encode(plan), listed)


@lru_cache(maxsize=FORMS_KEPT)
def _made(campaign_id: UUID, encoded: bytes, listed: bool) -> Form:
    # pyxform takes a third of a second to load, and most workers never make a form.
    import pyxform
    from pyxform.xls2xform import convert

    plan, name = msgspec.json.decode(encoded, type=Plan), form_id(campaign_id)
    content = [pyxform.__version__, sheets(name, "", plan, listed=listed)]
    version = sha256(msgspec.json.encode(content)).hexdigest()[:16]
    made = convert(sheets(name, version, plan, listed=listed), form_name="data")
    return Form(version, made.xform.translate(QUOTES_BACK).encode())


def fingerprint(content: bytes) -> str:
    """The digest that OpenRosa asks for, to notice changes by; nothing is protected by it."""
    return f"md5:{md5(content, usedforsecurity=False).hexdigest()}"
