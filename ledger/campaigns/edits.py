"""Edits of a visit (修改): what one says, and a visit folded with all of its edits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec

from ledger import identity
from ledger.campaigns.campaign import MATERIALS_MAX, TOPICS_MAX, Code
from ledger.campaigns.merging import ANSWERS, MATERIALS
from ledger.campaigns.questionnaire import Answer
from ledger.contributions.base import State
from ledger.contributions.evidence import Place
from ledger.contributions.visit import Count, Outcome, Said, Word
from ledger.contributions.visits import Changes, VisitEdited, VisitRecorded, VisitWithdrawn
from ledger.errors import FieldError, InvalidInput
from ledger.facts import Entry

EDITS_MAX = 100
"""Of one visit; each is read again for every later one."""
PUBLIC = ("outcome", "topics", "follow_up_on")
ALL_ANSWERS = "answers"
PRIVATE = ("place", "questions", "remark")
Cleared = Annotated[
    str, msgspec.Meta(pattern=r"^(follow_up_on|remark|place|answers\..{1,60})$(?!\n)")
]


class VisitEditBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of a visit; what is left out stays as it is.

    ``replaces`` is the version the change was made on: the number the server told, or, of what was
    not sent yet, its ``submission_id``. ``answers`` and ``materials`` change only what they name.
    ``clears`` empties `follow_up_on`, `remark`, `place` or `answers.<question>`; answers that are
    not asked any more (nobody was met, a skip rule) go by themselves.
    """

    replaces: int | UUID
    outcome: Outcome | None = None
    materials: Annotated[dict[Code, Count], msgspec.Meta(max_length=MATERIALS_MAX)] = {}
    topics: Annotated[tuple[Code, ...], msgspec.Meta(max_length=TOPICS_MAX)] | None = None
    follow_up_on: date | None = None
    answers: Annotated[dict[Word, Answer], msgspec.Meta(max_length=60)] = {}
    questions: Annotated[tuple[Said, ...], msgspec.Meta(max_length=20)] | None = None
    remark: Said | None = None
    place: Place | None = None
    clears: Annotated[tuple[Cleared, ...], msgspec.Meta(max_length=60)] = ()

    def said(self) -> dict[str, Any]:
        """What it says, by field, None for what it empties; InvalidInput for both at once."""
        told: dict[str, Any] = {
            name: value for name in PUBLIC if (value := getattr(self, name)) is not None
        }
        told |= {
            name: msgspec.to_builtins(value) for name in PRIVATE
            if (value := getattr(self, name)) is not None
        }  # fmt: skip
        told |= {MATERIALS + kind: count for kind, count in self.materials.items()}
        told |= {ANSWERS + question: answer for question, answer in self.answers.items()}
        if both := [number for number, name in enumerate(self.clears) if name in told]:
            raise InvalidInput([
                FieldError(f"clears[{number}]", "duplicate", "不能同时填写和清空同一项。",
                           "A field cannot be set and emptied at once.") for number in both
            ])  # fmt: skip
        return told | dict.fromkeys(self.clears)


class Visit(msgspec.Struct):
    """A visit with its edits; ``edits[0]`` made version 2."""

    state: State = msgspec.field(default_factory=State)
    edits: list[VisitEdited] = []
    positions: list[int] = []
    states: list[str] = []  # that each edit found it in
    first: VisitRecorded | None = None
    withdrawn: VisitWithdrawn | None = None
    withdrawn_position: int = 0

    @property
    def version(self) -> int:
        """The version of its originator, for the log."""
        return self.state.version

    @property
    def recorded(self) -> VisitRecorded:
        """The visit as it stands, edits included."""
        assert isinstance(self.state.recorded, VisitRecorded)
        return self.state.recorded

    @property
    def number(self) -> int:
        """The newest version, as who edits next says it."""
        return len(self.edits) + 1

    def apply(self, entry: Entry) -> None:
        self.state.apply(entry)
        fact = entry.fact
        if isinstance(fact, VisitRecorded):
            self.first = fact
        elif isinstance(fact, VisitWithdrawn):
            self.withdrawn, self.withdrawn_position = fact, entry.position
        elif isinstance(fact, VisitEdited):
            self.edits.append(fact)
            self.positions.append(entry.position)
            self.states.append(self.state.state)

    def built_on(
        self, replaces: int | UUID, author: UUID, visit_id: UUID
    ) -> tuple[int, tuple[int, ...]] | None:
        """The base and the chain of an edit that says what it replaces, as Version has them.

        A number is the server's; raises InvalidInput for one there is not. An id is that of an
        edit, or of the visit's own submission, that may not have been sent yet; None for one that
        was not received.
        """
        if isinstance(replaces, int):
            if not 1 <= replaces <= self.number:
                raise InvalidInput([FieldError(
                    "replaces", "unknown_version", "没有这个版本。", "There is no such version."
                )])  # fmt: skip
            return replaces, ()
        same_id = [
            (edit.by != author, number, edit) for number, edit in enumerate(self.edits, 2)
            if edit.version == replaces
        ]  # fmt: skip
        if same_id:  # Of two people who chose the same id the author means their own.
            _, number, edit = min(same_id, key=lambda one: one[:2])
            return edit.base, (*edit.chain, number)
        own = identity.contribution_id(self.recorded.participant_id, "visit", replaces)
        return (1, ()) if visit_id in (replaces, own) else None


def public_fields(recorded: VisitRecorded) -> dict[str, Any]:
    """The fields that the log itself tells, each kind of material for itself."""
    materials = {MATERIALS + kind: count for kind, count in recorded.materials.items()}
    return {name: getattr(recorded, name) for name in PUBLIC} | materials


def said_in(edit: VisitEdited, opened: Mapping[str, Any]) -> dict[str, Any]:
    """What an edit said, by field, with what the vault still holds of it."""
    changes: Changes = edit.changes
    told = {name: getattr(changes, name) for name in PUBLIC}
    told |= {MATERIALS + kind: count for kind, count in changes.materials.items()}
    named = [field for field in edit.fields if field != ALL_ANSWERS]
    return {field: {**told, **opened}.get(field) for field in named}


def told_of(fields: Iterable[str]) -> tuple[str, ...]:
    """Field names as the log tells them: of answers, that there are, and not to which questions.

    A question behind a skip rule would tell the answer to the one before it.
    """
    return tuple(sorted({
        ALL_ANSWERS if field.startswith(ANSWERS) else field for field in fields
    }))  # fmt: skip
