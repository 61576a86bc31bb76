"""One way to declare a route: its right, its schemas and its answer in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast
from urllib.parse import urlencode

import msgspec
from flask import Response, request
from flask_smorest import Blueprint

from api.auth import PUBLIC, Right
from api.errors import PROBLEM_JSON, Problem
from api.schemas import Parser, query_of, schema_of

REF = "#/components/schemas/{name}"
PERSONAL = "private, no-store"
_encode = msgspec.json.Encoder().encode


class Routes(Blueprint):
    """A blueprint whose every route says who may call it; all of it shows in the OpenAPI."""

    ARGUMENTS_PARSER = Parser()

    def on(
        self,
        method: str,
        rule: str,
        right: Right,
        *,
        summary: str,
        name: str | None = None,
        body: type[msgspec.Struct] | None = None,
        query: type[msgspec.Struct] | None = None,
        answers: Any = None,
        status: Sequence[int] = (200,),
        media: Sequence[str] = ("application/json",),
    ) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        """Declare a route. The view gets ``body`` as (submission_id, Struct), ``query`` as Struct.

        ``answers`` is the Struct (or other type) of the answer, for the documentation.
        """

        def declare(view: Callable[..., Response]) -> Callable[..., Response]:
            endpoint, made = name or view.__name__, cast(Any, view)
            if body is not None:
                made = self.arguments(schema_of(body), arg_name="body")(made)
                made._apidoc["arguments"].pop("responses")  # ``default`` below tells of problems.
            if query is not None:
                made = self._asked(query, made)
            content = {kind: {"schema": {"x-type": answers}} for kind in media} if answers else {}
            documented = {str(one): {"description": summary, "content": content} for one in status}
            documented["default"] = {
                "description": "problem",
                "content": {PROBLEM_JSON: {"schema": {"x-type": Problem}}},
            }
            security: dict[str, Any] = {"security": []} if right == PUBLIC else {}
            # What ``doc`` would say, without another wrapper around every request.
            made._apidoc = {**getattr(made, "_apidoc", {}), "manual_doc": {
                "responses": documented, "operationId": f"{method.lower()}_{endpoint}",
                "summary": summary, **security,
            }}  # fmt: skip
            made.right = right
            self.add_url_rule(rule, f"{method.lower()}_{endpoint}", made, methods=[method])
            return view

        return declare

    def _asked(
        self, query: type[msgspec.Struct], view: Callable[..., Response]
    ) -> Callable[..., Response]:
        """As ``arguments`` for a query, all of it optional, which is parsed where there is one."""
        nothing_asked = query()
        parsing = self.arguments(query_of(query), location="query", arg_name="query")(view)
        parsing._apidoc["arguments"].pop("responses")

        def made(**given: Any) -> Response:
            if request.query_string:
                answer: Response = parsing(**given)
                return answer
            return view(query=nothing_asked, **given)

        made.__dict__.update(parsing.__dict__)
        made.__doc__ = view.__doc__
        return made


def with_types(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document, every ``x-type`` replaced by the JSON Schema of that type."""
    components = document.setdefault("components", {}).setdefault("schemas", {})

    def resolved(node: Any) -> Any:
        if isinstance(node, dict):
            if "x-type" in node:
                (found,), named = msgspec.json.schema_components([node["x-type"]], ref_template=REF)
                components.update({key: one for key, one in named.items() if key not in components})
                return found
            return {key: resolved(one) for key, one in node.items()}
        return [resolved(one) for one in node] if isinstance(node, list) else node

    return {**document, "paths": resolved(document["paths"])}


def answer(content: Any, status: int = 200, *, replayed: bool = False) -> Response:
    """A JSON answer for whoever asked, to be kept by nobody else."""
    response = Response(_encode(content), status, content_type="application/json")
    response.headers["Cache-Control"] = PERSONAL
    if replayed:
        response.headers["Idempotent-Replay"] = "true"
    return response


def page(content: dict[str, Any]) -> Response:
    """A page of a list; where there is a next one its address is in ``Link`` as well."""
    response = answer(content)
    if content.get("next"):
        link_next(response, cursor=content["next"])
    return response


def link_next(response: Response, **changed: Any) -> None:
    """Say in ``Link`` where the next page is: this address with some of its query changed."""
    query = urlencode({**request.args.to_dict(), **changed})
    response.headers["Link"] = f'<{request.path}?{query}>; rel="next"'
