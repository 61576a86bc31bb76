"""The reward policy (奖励政策) in force, for everybody to read."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from flask import Response

from api import answers
from api.auth import services
from api.routing import Routes, answer
from ledger.days import day_of
from ledger.errors import NotFound
from ledger.settlement import parsed

routes = Routes("policy", __name__, description="What is rewarded, and how")


class Query(msgspec.Struct):
    """Which day's policy is asked for."""

    as_of: Annotated[date | None,
                     msgspec.Meta(description="A day, as in 2026-11-23; else today")] = None


@routes.on("GET", "/v1/policy", "policy.read", query=Query, answers=answers.PolicyAnswer,
           summary="The reward policy in force")  # fmt: skip
def get_policy(query: Query) -> Response:
    """The version of the policy that applies to what is done on a day."""
    here = services()
    day = query.as_of or day_of(here.clock())
    published = here.ledger.policies.current().in_force(day)
    if published is None:
        raise NotFound
    rules = parsed(published.toml)
    return answer(
        answers.PolicyAnswer(
            version=rules.version,
            effective_from=rules.effective_from,
            toml=published.toml,
            caps=msgspec.to_builtins(rules.caps),
            roles=msgspec.to_builtins(rules.roles),
            kinds=msgspec.to_builtins(rules.kinds),
        )
    )
