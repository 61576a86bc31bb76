"""Facts (事实): what happened, in the past tense, as it is stored for ever.

The law of stored shapes. A fact's stored name is written by hand and never changes. Never rename,
retype or drop a field; add only at the end, with a default. A changed meaning is a new fact.
Store causes, never sums. Nothing personal: no name, phone, address, free text, photo or track;
those are sealed in the vault and the fact carries their commitment.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, TypeVar
from uuid import UUID

import msgspec

from ledger.errors import CorruptFact, UnknownFact
from ledger.words import Text

__all__ = ["Entry", "Fact", "Sealed", "Text", "catalogue", "decode", "encode", "stored_as"]


class Sealed(msgspec.Struct, frozen=True):
    """A commitment to something kept in the vault: which field, whose, and its salted digest."""

    field: str
    subject: UUID
    digest: str


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every fact: business fields only; place and time of recording are its Entry's."""

    topic: ClassVar[str] = ""
    headline: ClassVar[Text] = Text(zh="", en="")

    def sentence(self, originator: UUID | None = None) -> Text:
        """What happened, as an auditor reads it.

        Fields may appear in the headline by name, and ``originator``: of what it is a fact.
        """
        from ledger.sentences import sentence  # Only who reads needs the words.

        return sentence(
            self.headline, {"originator": originator, **msgspec.structs.asdict(self)}
        )


class Entry(msgspec.Struct, frozen=True):
    """A fact at its place in the log: of which originator, its how-manieth, recorded when.

    ``position`` is 0 until the fact is stored.
    """

    originator_id: UUID
    originator_version: int
    recorded_at: datetime
    fact: Fact
    position: int = 0


F = TypeVar("F", bound=type[Fact])

_classes: dict[str, type[Fact]] = {}
_decoders: dict[str, msgspec.json.Decoder[Fact]] = {}
_encoder = msgspec.json.Encoder()


def stored_as(topic: str, *, zh: str, en: str) -> Callable[[F], F]:
    """Give a fact its stored name and its sentence; a name is given once."""

    def register(cls: F) -> F:
        if topic in _classes:
            raise ValueError(f"the stored name {topic!r} belongs to {_classes[topic].__name__}")
        cls.topic = topic
        cls.headline = Text(zh=zh, en=en)
        _classes[topic] = cls
        _decoders[topic] = msgspec.json.Decoder(cls)
        return cls

    return register


def catalogue() -> dict[str, type[Fact]]:
    """Every stored name and its fact, sorted by name."""
    return dict(sorted(_classes.items()))


def encode(fact: Fact) -> bytes:
    """The bytes that are stored and hashed: compact JSON, fields in the order of the class."""
    return _encoder.encode(fact)


def decode(topic: str, state: bytes) -> Fact:
    """The fact in stored bytes; raises UnknownFact or CorruptFact."""
    try:
        decoder = _decoders[topic]
    except KeyError:
        raise UnknownFact(topic=topic) from None
    try:
        return decoder.decode(state)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CorruptFact(topic=topic, problem=str(error)) from error
