"""One way to declare a route: its right, its schemas and its answer in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from inspect import cleandoc
from typing import Annotated, Any, cast
from urllib.parse import urlencode

import msgspec
from flask import Response, request
from flask_smorest import Blueprint

from api.auth import PUBLIC, Right, services
from api.errors import PROBLEM_JSON, Behind, Problem
from api.schemas import Parser, query_of, schema_of

REF = "#/components/schemas/{name}"
WAIT_SECONDS = 2.0
PERSONAL = "private, no-store"
SUCCESS = {
    200: "What was asked for",
    201: "Recorded",
    503: "Not ready; the reasons are in the answer",
}
REPLAYED = {"description": "`true`: the same was recorded before, and this is its first answer",
            "schema": {"type": "string", "enum": ["true"]}}  # fmt: skip
LINK = {"description": 'Where the next page is, `<…>; rel="next"`; absent on the last one',
        "schema": {"type": "string"}}  # fmt: skip
RETRY_AFTER = {"description": "With 429 and 503: in how many seconds to try again",
               "schema": {"type": "integer"}}  # fmt: skip
PROBLEM = {
    "description": "A refusal (RFC 9457), with a stable `code` and sentences in both languages",
    "headers": {"Retry-After": RETRY_AFTER},
    "content": {PROBLEM_JSON: {"schema": {"x-type": Problem}}},
}
Cursor = Annotated[str | None, msgspec.Meta(description="`next` of the page before")]
Limit = Annotated[int, msgspec.Meta(ge=1, le=100, description="Items at most")]
MinPosition = Annotated[int, msgspec.Meta(
    ge=0, le=2**62,
    description=f"Wait, at most {WAIT_SECONDS:.0f} s, until the log is shown up to here",
)]  # fmt: skip
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
        submitted: bool = True,
        raw: Sequence[str] = (),
        query: type[msgspec.Struct] | None = None,
        answers: Any,
        status: Sequence[int] = (200,),
        media: Sequence[str] = ("application/json",),
    ) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        """Declare a route. The view gets ``body`` as (submission_id, Struct), ``query`` as Struct.

        A body that only asks and records nothing is not ``submitted``, and comes as Struct too.
        One that is no JSON is bytes of the media types ``raw``, and the view reads it itself.
        For the documentation: ``answers`` is the Struct (or other type) of the answer, ``name``
        (else the view's) the operation's id, and the view's docstring its description.
        """

        def declare(view: Callable[..., Response]) -> Callable[..., Response]:
            endpoint, made = name or view.__name__, cast(Any, view)
            if body is not None:
                made = self.arguments(schema_of(body, submitted=submitted), arg_name="body")(made)
                made._apidoc["arguments"].pop("responses")  # ``default`` below tells of problems.
            if query is not None:
                made = self._asked(query, made)
            content = {kind: {"schema": {"x-type": answers}} for kind in media}
            documented: dict[str, Any] = {
                str(one): {"description": SUCCESS[one], "content": content} for one in status
            }
            if 201 in status:
                documented["200"] |= {"headers": {"Idempotent-Replay": REPLAYED}}
            if query is not None and "next" in getattr(answers, "__struct_fields__", ()):
                documented["200"] |= {"headers": {"Link": LINK}}
            more: dict[str, Any] = {"security": []} if right == PUBLIC else {}
            if raw:  # OpenAPI 3.1: bytes as they are have a media type and no schema.
                more["requestBody"] = {"required": True, "content": {kind: {} for kind in raw}}
            # What ``doc`` would say, without another wrapper around every request.
            made._apidoc = {**getattr(made, "_apidoc", {}), "manual_doc": {
                "responses": {**documented, "default": PROBLEM}, "operationId": endpoint,
                "summary": summary, "description": _prose(view.__doc__), **more,
            }}  # fmt: skip
            made.right = right
            self.add_url_rule(rule, endpoint, made, methods=[method])
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


def reached(view: str, position: int) -> None:
    """Read your writes: wait until a view holds ``position``; raises Behind."""
    if position and not services().views.wait_for(view, position, WAIT_SECONDS):
        raise Behind


def with_types(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document, every ``x-type`` replaced by the JSON Schema of that type.

    Of the schemas only those remain that something refers to; flask-smorest brings some of its own.
    """
    components = document.setdefault("components", {}).setdefault("schemas", {})

    def resolved(node: Any) -> Any:
        if isinstance(node, dict):
            if "x-type" in node:
                (found,), named = msgspec.json.schema_components([node["x-type"]], ref_template=REF)
                components.update({
                    key: {**one, "description": _prose(one.get("description"))}
                    for key, one in named.items() if key not in components
                })  # fmt: skip
                return found
            return {key: resolved(one) for key, one in node.items()}
        return [resolved(one) for one in node] if isinstance(node, list) else node

    paths = resolved(document["paths"])
    components.update(resolved(dict(components)))
    needed, left = set[str](), list(_named(paths))
    while left:
        if (name := left.pop()) not in needed:
            needed.add(name)
            left += _named(components[name])
    document["components"]["schemas"] = {name: components[name] for name in sorted(needed)}
    return {**document, "paths": paths}


def _prose(docstring: str | None) -> str:
    """A docstring as Markdown: without its indentation, code in single quotes."""
    return cleandoc(docstring or "").replace("``", "`")


def _named(node: Any) -> Iterator[str]:
    """The schemas that a part of the document refers to."""
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference.rpartition("/")[2]
        for one in node.values():
            yield from _named(one)
    elif isinstance(node, list):
        for one in node:
            yield from _named(one)


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
