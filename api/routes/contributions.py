"""Contributions (参与): the same four addresses for every way to take part the ledger lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import msgspec
from flask import Response

from api import answers, metrics
from api.auth import actor, services
from api.routing import Cursor, Limit, MinPosition, Routes, answer, page, reached
from api.schemas import body_sent
from api.shapes import Fresh, Words
from ledger import access
from ledger.application import Receipt
from ledger.contributions import CONTRIBUTIONS
from ledger.contributions.base import OPEN_STATES, Contribution
from ledger.errors import Forbidden, NotFound
from ledger.participants import Actor
from ledger.tracks.judge import Verdict

VIEW = "contributions"

routes = Routes("contributions", __name__, description="Taking part, and reviewing it")


Seen = Annotated[int, msgspec.Meta(
    ge=1, description="the version that was looked at; a newer one is answered with 409"
)]  # fmt: skip


class Verify(msgspec.Struct, forbid_unknown_fields=True):
    """A reviewer's yes; ``tier`` grades the finding (1 ordinary to 3 grave)."""

    tier: Annotated[int, msgspec.Meta(ge=1, le=3)] = 1
    version: Seen | None = None


class Refuse(msgspec.Struct, forbid_unknown_fields=True):
    """A reviewer's no, with the reason in words."""

    reason: Words
    version: Seen | None = None


class Listing(msgspec.Struct):
    """A page of one's own contributions, or of those to review."""

    state: Annotated[Literal["waiting", "pending", "review"] | None, msgspec.Meta(
        description="Without it one's own. With it what waits for a reviewer in one's district: "
        "`pending`, nobody and nothing has judged it; `review`, the machine left it to a person; "
        "`waiting`, both"
    )] = None  # fmt: skip
    cursor: Cursor = None
    limit: Limit = 20
    min_position: MinPosition = 0


def declare(contribution: Contribution) -> None:
    """Make the addresses of one way to take part."""
    path, kind, name = f"/v1/{contribution.path}", contribution.kind, contribution.name.en
    item, items = answers.headed(contribution)

    @routes.on(
        "POST", path, contribution.contributors, name=f"record_{kind}", body=contribution.body,
        answers=answers.Receipt, status=(201, 200), summary=f"Record a {name}",
    )  # fmt: skip
    def record(body: tuple[UUID, Any]) -> Response:
        """Record a submission, decide what needs no reviewer, and say what it came to.

        The same `submission_id` and body again gets the first answer again; another body is
        refused as `submission_conflict`.
        """
        submission_id, content = body
        here, who = services(), actor()
        receipt = here.ledger.contribute(
            contribution, who, content, body_sent(), submission_id, here.clock()
        )
        verdict = receipt.state if receipt.state in get_args(Verdict) else None
        return _receipt(receipt, verdict, _actions(contribution, who, True, receipt.state, ()))

    @routes.on(
        "GET", path, "contributions.read", name=f"list_{contribution.path}", query=Listing,
        answers=items, summary=f"One's own {name}s, or those to review",
    )  # fmt: skip
    def listing(query: Listing) -> Response:
        """One's own, newest first; with `state=waiting` those to review, oldest first."""
        reached(VIEW, query.min_position)
        found = _listing(contribution, query)
        return page(found | {"items": [_item(contribution, item, row) for row in found["items"]]})

    @routes.on(
        "GET", f"{path}/<uuid:id>", "contributions.read", name=f"get_{kind}", query=Fresh,
        answers=item, summary=f"One {name} as it stands",
    )  # fmt: skip
    def one(id: UUID, query: Fresh) -> Response:
        """For who sent it in, reviewers of its district and auditors; else it is not there.

        A new one is there once the view has followed the log so far: ask with `min_position`.
        """
        reached(VIEW, query.min_position)
        return answer(_item(contribution, item, _one(contribution, id)))

    @routes.on(
        "POST", f"{path}/<uuid:id>/verify", contribution.reviewers, name=f"verify_{kind}",
        body=Verify, answers=answers.Receipt, status=(201, 200),
        summary=f"Find a {name} to be true",
    )  # fmt: skip
    def verify(id: UUID, body: tuple[UUID, Verify]) -> Response:
        """Decide what waits for a reviewer; what it earns is awarded at once."""
        submission_id, yes = body
        return _reviewed(
            contribution, id, submission_id, tier=yes.tier, reason="", seen=yes.version
        )

    @routes.on(
        "POST", f"{path}/<uuid:id>/refuse", contribution.reviewers, name=f"refuse_{kind}",
        body=Refuse, answers=answers.Receipt, status=(201, 200),
        summary=f"Do not accept a {name}",
    )  # fmt: skip
    def refuse(id: UUID, body: tuple[UUID, Refuse]) -> Response:
        """Decide what waits for a reviewer; the contributor reads the reason and earns nothing."""
        submission_id, no = body
        return _reviewed(
            contribution, id, submission_id, tier=None, reason=no.reason, seen=no.version
        )


for _contribution in CONTRIBUTIONS:
    declare(_contribution)


def _reviewed(
    contribution: Contribution, cause: UUID, submission_id: UUID, *, tier: int | None, reason: str,
    seen: int | None,
) -> Response:  # fmt: skip
    here, who = services(), actor()
    receipt = here.ledger.review(
        contribution, who, cause, submission_id, here.clock(), tier=tier, reason=reason, seen=seen
    )
    state = here.ledger.contribution(contribution, cause)
    assert state.recorded is not None
    verdict = state.assessed.verdict if state.assessed else None
    districts = state.recorded.districts
    return _receipt(receipt, verdict, _actions(contribution, who, False, receipt.state, districts))


def _receipt(receipt: Receipt, verdict: str | None, actions: list[str]) -> Response:
    if not receipt.replayed:
        metrics.decided(receipt.kind, receipt.coins, receipt.reasons)
    content = answers.Receipt(
        id=receipt.id,
        position=receipt.position,
        state=receipt.state,
        verdict=verdict,  # type: ignore[arg-type]
        reasons=answers.reasons(receipt.reasons),
        metrics=receipt.metrics,
        coins=receipt.coins,
        balance=receipt.balance,
        rule=receipt.rule,
        policy_version=receipt.policy_version,
        allowed_actions=actions,
    )
    status = 200 if receipt.replayed else 201
    return answer(content, status, replayed=receipt.replayed)


def _listing(contribution: Contribution, query: Listing) -> dict[str, Any]:
    who, views, kinds = actor(), services().views, (contribution.kind,)
    if query.state is None:
        return views.contributions(who.participant_id, query.cursor, query.limit, kinds)
    if who.role not in contribution.reviewers:
        raise Forbidden
    places = None if who.district is None else (who.district,)
    state = None if query.state == "waiting" else query.state
    return views.waiting(places, query.cursor, query.limit, kinds, state)


def _one(contribution: Contribution, cause: UUID) -> dict[str, Any]:
    """For its owner, a reviewer of its place and auditors; for anybody else it is not there."""
    who, row = actor(), services().views.contribution(cause)
    if row is None or row["kind"] != contribution.kind:
        raise NotFound
    if not access.owns_or_audits(who, UUID(row["participant_id"])) and not access.reviews(
        who, contribution.reviewers, row["districts"]
    ):
        raise NotFound
    return row


def _item(
    contribution: Contribution, shape: type[answers.Contribution], row: dict[str, Any]
) -> answers.Contribution:
    """A row of the view as it is answered: without whose it is, with what the asker may do."""
    who = actor()
    own = row["participant_id"] == str(who.participant_id)
    told = {
        "reasons": answers.reasons(tuple(row["reasons"])),
        "review_reason": answers.sealed_words(UUID(row["id"]), row["review"]),
        "allowed_actions": _actions(contribution, who, own, row["state"], row["districts"]),
    }
    return msgspec.convert(row | told, shape)


def _actions(
    contribution: Contribution, who: Actor, own: bool, state: str, districts: Sequence[str]
) -> list[str]:
    """What the asker may do with it now."""
    if own:
        return list(contribution.own_actions) if state in OPEN_STATES else []
    may = access.reviews(who, contribution.reviewers, districts)
    return ["verify", "refuse"] if may and state in OPEN_STATES else []
