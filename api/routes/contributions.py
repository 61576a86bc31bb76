"""Contributions (参与): the same four addresses for every way to take part the ledger lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from flask import Response

from api import answers, metrics
from api.auth import actor, services
from api.routing import Routes, answer, page
from api.schemas import body_sent
from ledger import access
from ledger.application import Receipt
from ledger.contributions import CONTRIBUTIONS
from ledger.contributions.base import OPEN_STATES, Contribution, State
from ledger.errors import Forbidden, NotFound
from ledger.participants import Actor
from projections.reading import Views

VERDICTS = ("valid", "review", "rejected")
REASON_MAX = 500
PAGES_LOOKED_AT = 10

routes = Routes("contributions", __name__, description="Taking part, and reviewing it")


class Verify(msgspec.Struct, forbid_unknown_fields=True):
    """A reviewer's yes; ``tier`` grades the finding (1 ordinary to 3 grave)."""

    tier: Annotated[int, msgspec.Meta(ge=1, le=3)] = 1


class Refuse(msgspec.Struct, forbid_unknown_fields=True):
    """A reviewer's no, with the reason in words."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_MAX)]


class Listing(msgspec.Struct):
    """Own contributions, newest first; with ``state=waiting`` those to review, oldest first."""

    state: Literal["waiting"] | None = None
    cursor: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


def declare(contribution: Contribution) -> None:
    """Make the addresses of one way to take part."""
    path, name = f"/v1/{contribution.path}", contribution.name.en

    @routes.on(
        "POST", path, contribution.contributors, name=contribution.path, body=contribution.body,
        answers=answers.Receipt, status=(201, 200), summary=f"Record a {name}",
    )  # fmt: skip
    def record(body: tuple[UUID, Any]) -> Response:
        submission_id, content = body
        here = services()
        receipt = here.ledger.contribute(
            contribution, actor(), content, body_sent(), submission_id, here.clock()
        )
        return _receipt(receipt, ())

    @routes.on(
        "GET", path, "contributions.read", name=contribution.path, query=Listing,
        answers=answers.ContributionPage, summary=f"One's own {name}s, or those to review",
    )  # fmt: skip
    def listing(query: Listing) -> Response:
        return page(_listing(contribution, query))

    @routes.on(
        "GET", f"{path}/<uuid:id>", "contributions.read", name=f"{contribution.path}_one",
        answers=answers.Contribution, summary=f"One {name} as it stands",
    )  # fmt: skip
    def one(id: UUID) -> Response:
        return answer(_one(contribution, id))

    @routes.on(
        "POST", f"{path}/<uuid:id>/verify", contribution.reviewers,
        name=f"{contribution.path}_verify", body=Verify, answers=answers.Receipt,
        status=(201, 200), summary=f"Find a {name} to be true",
    )  # fmt: skip
    def verify(id: UUID, body: tuple[UUID, Verify]) -> Response:
        return _reviewed(contribution, id, body[0], tier=body[1].tier, reason="")

    @routes.on(
        "POST", f"{path}/<uuid:id>/refuse", contribution.reviewers,
        name=f"{contribution.path}_refuse", body=Refuse, answers=answers.Receipt,
        status=(201, 200), summary=f"Do not accept a {name}",
    )  # fmt: skip
    def refuse(id: UUID, body: tuple[UUID, Refuse]) -> Response:
        return _reviewed(contribution, id, body[0], tier=None, reason=body[1].reason)


for _contribution in CONTRIBUTIONS:
    declare(_contribution)


def _reviewed(
    contribution: Contribution, cause: UUID, submission_id: UUID, *, tier: int | None, reason: str
) -> Response:
    here = services()
    receipt = here.ledger.review(
        contribution, actor(), cause, submission_id, here.clock(), tier=tier, reason=reason
    )
    return _receipt(receipt, ())


def _receipt(receipt: Receipt, actions: Sequence[str]) -> Response:
    if not receipt.replayed:
        metrics.decided(receipt.kind, receipt.coins, receipt.reasons)
    judged = receipt.metrics is not None and receipt.state in VERDICTS
    content = answers.Receipt(
        id=receipt.id,
        position=receipt.position,
        state=receipt.state,
        verdict=receipt.state if judged else None,  # type: ignore[arg-type]
        reasons=answers.reasons(receipt.reasons),
        metrics=receipt.metrics,
        coins=receipt.coins,
        balance=receipt.balance,
        rule=receipt.rule,
        policy_version=receipt.policy_version,
        allowed_actions=list(actions),
    )
    status = 200 if receipt.replayed else 201
    return answer(content, status, replayed=receipt.replayed)


def _listing(contribution: Contribution, query: Listing) -> dict[str, Any]:
    who, views = actor(), services().views
    if query.state is None:
        found = _own(contribution, views, who.participant_id, query)
    elif who.role not in contribution.reviewers:
        raise Forbidden
    else:
        places = None if who.district is None else (who.district,)
        found = views.waiting(places, query.cursor, query.limit, kinds=(contribution.kind,))
    return {**found, "items": [_item(contribution, who, row) for row in found["items"]]}


def _own(
    contribution: Contribution, views: Views, owner: UUID, query: Listing
) -> dict[str, Any]:
    """A page of one's own of this kind; the view lists all kinds together, so it looks ahead."""
    found: dict[str, Any] = {"items": [], "next": query.cursor}
    for _ in range(PAGES_LOOKED_AT):
        found = views.contributions(owner, found["next"], query.limit)
        found["items"] = [row for row in found["items"] if row["kind"] == contribution.kind]
        if found["items"] or not found["next"]:
            break
    return found


def _item(contribution: Contribution, who: Actor, row: dict[str, Any]) -> dict[str, Any]:
    """A row of the view as it is answered: without whose it is, with what the asker may do."""
    own = row.pop("participant_id") == str(who.participant_id)
    row["allowed_actions"] = _actions(contribution, who, own, row["state"], row["districts"])
    row["reasons"] = answers.reasons(tuple(row["reasons"]))
    return row


def _actions(
    contribution: Contribution, who: Actor, own: bool, state: str, districts: Sequence[str]
) -> list[str]:
    """What the asker may do with it now."""
    may = not own and access.reviews(who, contribution.reviewers, districts)
    return ["verify", "refuse"] if may and state in OPEN_STATES else []


def _one(contribution: Contribution, cause: UUID) -> answers.Contribution:
    """For its owner, a reviewer of its place and auditors; for anybody else it is not there."""
    who, here = actor(), services()
    state = here.ledger.contribution(contribution, cause)
    recorded = state.recorded
    assert recorded is not None
    visible = access.owns_or_audits(who, recorded.participant_id) or access.reviews(
        who, contribution.reviewers, recorded.districts
    )
    if not visible:
        raise NotFound
    own = recorded.participant_id == who.participant_id
    row = here.views.contribution(cause) or {}
    return answers.Contribution(
        id=cause,
        kind=contribution.kind,
        state=state.state,
        verdict=state.assessed.verdict if state.assessed else None,
        reasons=answers.reasons(tuple(row.get("reasons", _assessed(state)))),
        coins=row.get("coins", 0),
        rule=row.get("rule", ""),
        policy_version=row.get("policy_version", ""),
        earned_on=recorded.earned_on,
        districts=recorded.districts,
        allowed_actions=_actions(contribution, who, own, state.state, recorded.districts),
        position=state.position,
    )


def _assessed(state: State) -> tuple[str, ...]:
    return state.assessed.reasons if state.assessed else ()
