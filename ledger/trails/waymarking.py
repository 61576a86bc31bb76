"""Waymarking (线路管理): publish a trail, pause it for the weather, resume it, close it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ledger import access, identity
from ledger.commands import Decision, signature
from ledger.errors import Forbidden, NotFound
from ledger.log import Append
from ledger.participants import Actor
from ledger.tokens import Tokens
from ledger.trails.codes import code_of
from ledger.trails.errors import (
    TrailAlreadyPaused,
    TrailElsewhere,
    TrailIsClosed,
    TrailNotPaused,
)
from ledger.trails.trails import (
    PauseReason,
    Trail,
    TrailClosed,
    TrailPaused,
    TrailPublished,
    TrailResumed,
    Trails,
)
from ledger.trails.wanted import NewTrail, ids_of, planned


class TrailReceipt(msgspec.Struct, frozen=True):
    """A trail right after a command; ``codes`` are those made for it, by point."""

    trail: Trail
    position: int
    codes: dict[str, str] = {}
    replayed: bool = False


class Waymarking(Tokens):
    """Commands on trails; dispatchers and reward officers of its place may give them."""

    def publish_trail(
        self, actor: Actor, wanted: NewTrail, request: Any, submission_id: UUID, now: datetime
    ) -> TrailReceipt:
        """Publish a trail for the actor's district or one below it.

        Raises InvalidInput per field, UnknownDistrict, Forbidden. The receipt alone tells the
        codes that were made; the same submission again is told them again.
        """
        trail_id = identity.derived("trail", actor.participant_id, submission_id)
        codes = {
            name: code_of(self._secret_key, trail_id, name)
            for name, one in zip(ids_of(wanted), wanted.points, strict=True) if one.make_code
        }  # fmt: skip

        def decide(_: Trail | None, signed: dict[str, Any]) -> Decision:
            place = wanted.district if wanted.district is not None else actor.district
            self._check_district(place)
            tree = self.districts.current()
            districts = tree.path(place)
            if not access.within(actor, districts):
                raise Forbidden
            plan = planned(wanted, place, codes)
            fact = TrailPublished(plan=plan, districts=districts, **signed)
            return Decision([fact], unchanged={identity.DISTRICTS: tree.version})

        receipt = self._change_trail(
            actor, "publish", trail_id, request, submission_id, now, decide
        )
        return msgspec.structs.replace(receipt, codes=codes)

    def pause_trail(
        self, actor: Actor, trail_id: UUID, reason: PauseReason, request: Any,
        submission_id: UUID, now: datetime,
    ) -> TrailReceipt:  # fmt: skip
        """Let nobody check in from now on, for the weather say; raises TrailAlreadyPaused."""

        def decide(trail: Trail | None, signed: dict[str, Any]) -> Decision:
            if trail is not None and trail.pause:
                raise TrailAlreadyPaused
            return Decision([TrailPaused(reason=reason, **signed)])

        return self._change_trail(actor, "pause", trail_id, request, submission_id, now, decide)

    def resume_trail(
        self, actor: Actor, trail_id: UUID, request: Any, submission_id: UUID, now: datetime
    ) -> TrailReceipt:
        """Open a paused trail again from now on; raises TrailNotPaused."""

        def decide(trail: Trail | None, signed: dict[str, Any]) -> Decision:
            if trail is not None and not trail.pause:
                raise TrailNotPaused
            return Decision([TrailResumed(**signed)])

        return self._change_trail(actor, "resume", trail_id, request, submission_id, now, decide)

    def close_trail(
        self, actor: Actor, trail_id: UUID, request: Any, submission_id: UUID, now: datetime
    ) -> TrailReceipt:
        """Close a trail for good; what was checked in before may still be sent in."""
        return self._change_trail(
            actor, "close", trail_id, request, submission_id, now,
            lambda _, signed: Decision([TrailClosed(**signed)]),
        )  # fmt: skip

    def _change_trail(
        self,
        actor: Actor,
        action: str,
        trail_id: UUID,
        request: Any,
        submission_id: UUID,
        now: datetime,
        decide: Callable[[Trail | None, dict[str, Any]], Decision],
    ) -> TrailReceipt:
        signed = signature(
            self.vault, actor.participant_id, f"{action}/{trail_id}", submission_id, request
        )

        def command() -> TrailReceipt:
            trails = self.trails.current()
            if earlier := signed.earlier(trails.commands):
                return self._trail_before(trail_id, earlier)
            trail = trails.trails.get(trail_id)
            if action != "publish":
                if trail is None:
                    raise NotFound
                if not access.within(actor, trail.districts):
                    raise TrailElsewhere
                if trail.closed_at is not None:
                    raise TrailIsClosed
            decided = decide(trail, {"trail_id": trail_id, "at": now, **signed.fields})
            write = Append(identity.TRAILS, trails.version, decided.facts)
            (entry,) = self.append([write], now, unchanged=decided.unchanged)
            changed = trails.with_facts(decided.facts).trails[trail_id]
            return TrailReceipt(changed, entry.position)

        return self.attempt(command)

    def _trail_before(self, trail_id: UUID, version: int) -> TrailReceipt:
        entries = list(self.events.get(identity.TRAILS, lte=version))
        facts = [entry.fact for entry in entries]  # type: ignore[attr-defined]
        position: int = entries[-1].position  # type: ignore[attr-defined]
        trail = Trails().with_facts(facts).trails[trail_id]
        return TrailReceipt(trail, position, replayed=True)
