"""Request schemas, made from the Structs that the ledger declares; unknown fields are refused.

marshmallow keeps the shape (which fields, nested how); every leaf, a number as well as an array of
20,000 fixes, is one field checked by msgspec in C, with its complaint put into our words.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from flask import current_app, g, has_request_context, request
from marshmallow import RAISE, Schema, ValidationError, fields, post_load
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge

from api.complaints import coded, sentence
from api.errors import (
    MalformedJson,
    MissingSubmissionId,
    UnsupportedEncoding,
    UnsupportedMediaType,
)
from api.unfit import decoded, misfit, whole_text
from ledger.errors import FieldError, InvalidInput

ERRORS_MAX = 100
TYPE, UNKNOWN, REQUIRED = "wrong_type", "unknown_field", "required"


class Leaf(fields.Field[Any]):
    """A value of any type that msgspec knows; ``strict`` is off for the text of a query.

    ``default`` is only told in the documentation: the Struct itself fills it in.
    """

    default_error_messages = {"required": REQUIRED, "null": TYPE}

    def __init__(
        self, shape: Any, *, strict: bool = True, default: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.default = default
        self.shape = _with_offsets(shape)
        self.judged = not _leaves_open(self.shape)
        self.strict = strict

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        try:
            made = msgspec.convert(value, self.shape, strict=self.strict)
        except UnicodeEncodeError:
            raise ValidationError(misfit(value)) from None
        except (msgspec.ValidationError, OverflowError) as error:
            raise ValidationError(coded(error, self.shape)) from None
        if self.judged and _may_be_unfit() and (unfit := misfit(value)):
            raise ValidationError(unfit)
        return made

    def deserialize(self, value: Any, attr: Any = None, data: Any = None, **kwargs: Any) -> Any:
        """As marshmallow's, but that null too is for the type to judge."""
        if value is None:
            return self._deserialize(value)
        return super().deserialize(value, attr, data, **kwargs)


class Shape(Schema):
    """Base of all request schemas: what is not declared is refused."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": UNKNOWN, "type": TYPE}


@cache
def schema_of(struct: type[msgspec.Struct], *, submitted: bool = True) -> type[Schema]:
    """The schema of a body: loading gives the Struct, with its ``submission_id`` when submitted.

    What loads is the Struct itself, or the pair (submission_id, Struct).
    """
    members: dict[str, Any] = _members(struct)
    submitted = submitted and "submission_id" not in members
    if submitted:
        members["submission_id"] = Leaf(UUID, required=True)

    def made(_: Schema, data: dict[str, Any], **__: Any) -> Any:
        if not submitted:
            return struct(**data)
        submission_id = data.pop("submission_id")
        return submission_id, struct(**data)

    members["made"] = post_load(made)
    name = struct.__name__ if not submitted else struct.__name__.removesuffix("Body") + "Request"
    return cast(type[Schema], type(name, (Shape,), members))


def query_of(struct: type[msgspec.Struct]) -> type[Schema]:
    """The schema of a query string."""
    return cast(type[Schema], type(struct.__name__, (Shape,), _members(struct, strict=False) | {
        "made": post_load(lambda _, data, **__: struct(**data)),
    }))  # fmt: skip


def _members(struct: type[msgspec.Struct], *, strict: bool = True) -> dict[str, Any]:
    hints = get_type_hints(struct, include_extras=True)
    return {
        one.name: _field(hints[one.name], one, strict=strict)
        for one in msgspec.structs.fields(struct)
    }


def _field(
    shape: Any, declared: msgspec.structs.FieldInfo, *, strict: bool
) -> fields.Field[Any]:
    optional = get_origin(shape) in (Union, types.UnionType)
    named = [arg for arg in get_args(shape) if arg is not type(None)] if optional else [shape]
    struct = named[0]
    if len(named) == 1 and isinstance(struct, type) and issubclass(struct, msgspec.Struct):
        return fields.Nested(
            schema_of(struct, submitted=False),
            required=declared.required,
            allow_none=optional,
            error_messages={"required": REQUIRED, "null": TYPE},
        )
    default = None if declared.default is msgspec.NODEFAULT else declared.default
    return Leaf(shape, required=declared.required, strict=strict, default=default)


def _with_offsets(shape: Any) -> Any:
    """The same type, in which every time must say its offset from UTC."""
    if shape is datetime:
        return Annotated[datetime, msgspec.Meta(tz=True)]
    origin, args = get_origin(shape), get_args(shape)
    if origin is Annotated:
        return Annotated[(_with_offsets(args[0]), *shape.__metadata__)]
    if origin in (Union, types.UnionType):
        return Union[tuple(map(_with_offsets, args))]  # noqa: UP007
    if origin in (tuple, list, dict):
        return origin[tuple(map(_with_offsets, args))]
    return shape


def _leaves_open(shape: Any) -> bool:
    """Whether something in it may be anything: it is judged once it is given a type."""
    return shape is Any or any(map(_leaves_open, get_args(shape)))


def _may_be_unfit() -> bool:
    return has_request_context() and g.get("unfit", False)


class Parser(FlaskParser):
    """Reads JSON with msgspec and raises our refusals; used by every route."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": RAISE, "query": RAISE}

    def load_json(self, *_: Any) -> Any:
        """The body as sent: a JSON object in UTF-8, not compressed."""
        return body_sent()

    def load_querystring(self, req: Any, *_: Any) -> Any:
        """The query as a plain mapping; the first of a name that is given twice."""
        return req.args.to_dict()

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> Any:
        messages = cast("Mapping[str, Any]", error.messages)
        inner = messages.get("json") or messages.get("query") or messages
        found = errors_in(inner)
        if any(one.path == "submission_id" and one.code == REQUIRED for one in found):
            raise MissingSubmissionId(found) from None
        raise InvalidInput(found) from None


def errors_in(messages: Any) -> list[FieldError]:
    """marshmallow's complaints as ours, the first hundred of them."""
    return [one for _, one in zip(range(ERRORS_MAX), _flat(messages, ""), strict=False)]


def load(struct: type[msgspec.Struct], content: Any) -> tuple[UUID, Any]:
    """A submitted body that came within another; raises InvalidInput as for one sent alone."""
    try:
        made: tuple[UUID, Any] = schema_of(struct)().load(content)
    except ValidationError as error:
        raise InvalidInput(errors_in(error.messages)) from None
    return made


def load_plain(struct: type[msgspec.Struct], content: Any) -> Any:
    """A part of a body, without a ``submission_id`` of its own; raises InvalidInput."""
    try:
        return schema_of(struct, submitted=False)().load(content)
    except ValidationError as error:
        raise InvalidInput(errors_in(error.messages)) from None


def body_sent() -> dict[str, Any]:
    """The JSON object that was sent, decoded once; refuses every other body."""
    if "body_sent" in g:
        sent: dict[str, Any] = g.body_sent
        return sent
    refuse_compressed()
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType
    try:
        body, g.unfit = decoded(_whole())
    except (ValueError, RecursionError):
        raise MalformedJson from None
    if not isinstance(body, dict):
        raise MalformedJson
    g.body_sent = body
    return body


def bytes_sent() -> bytes:
    """The body as it came, whatever its type is said to be; refuses a compressed one."""
    refuse_compressed()
    return _whole()


def _whole() -> bytes:
    """All that was sent: of a body that does not say its length, what is too long is cut off."""
    content = request.get_data()
    if request.content_length is None and len(content) >= current_app.config["MAX_CONTENT_LENGTH"]:
        raise RequestEntityTooLarge
    return content


def refuse_compressed() -> None:
    """Raises UnsupportedEncoding for a body that must be unpacked first."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedEncoding


def _flat(messages: Any, path: str) -> Iterator[FieldError]:
    """marshmallow's tree of complaints as a list, each with its path as in ``track.times[5]``."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            if key == "_schema":
                yield from _flat(inner, path)
            elif isinstance(key, int):
                yield from _flat(inner, f"{path}[{key}]")
            else:
                name = whole_text(str(key))
                yield from _flat(inner, f"{path}.{name}" if path else name)
    else:
        for text in messages:
            code, _, detail = str(text).partition("|")
            zh, en = sentence(code, detail)
            yield FieldError(path=path, code=code, zh=zh, en=en)


def openapi_of(field: Any, **_: Any) -> dict[str, Any]:
    """What apispec shall say of a Leaf: the JSON Schema of its type."""
    if not isinstance(field, Leaf):
        return {}
    for said in getattr(field.shape, "__metadata__", ()):
        if documented := (said.extra or {}).get("documented"):
            return {"x-type": documented}
    (found,), named = msgspec.json.schema_components(
        [field.shape], ref_template="#/components/schemas/{name}"
    )
    if named:  # It names other schemas, which ``with_types`` will put beside it.
        return {"x-type": field.shape}
    default = {} if field.default is None else {"default": msgspec.to_builtins(field.default)}
    return {**_without_false(found), **default}


def _without_false(schema: Any) -> Any:
    """The same without ``items: false``, which apispec takes for a name; maxItems says it too."""
    if isinstance(schema, dict):
        kept = {key: one for key, one in schema.items() if one is not False}
        return {key: _without_false(one) for key, one in kept.items()}
    return [_without_false(one) for one in schema] if isinstance(schema, list) else schema
