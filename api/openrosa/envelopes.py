"""OpenRosa's answers: the list of forms, a form's files, and what became of a submission."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal
from xml.sax.saxutils import escape

import msgspec
from flask import Response, request

from api.errors import PROBLEM_JSON, Problem

XML = "text/xml; charset=utf-8"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
LIST = "http://openrosa.org/xforms/xformsList"
MANIFEST = "http://openrosa.org/xforms/xformsManifest"
RESPONSE = "http://openrosa.org/http/response"
VERSION = ("X-OpenRosa-Version", "1.0")

Nature = Literal["submit_success", "submit_error"]


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A form in the list; what is None is left out."""

    formID: str  # noqa: N815 - the fields are the names of the elements
    name: str
    version: str
    hash: str
    descriptionText: str | None = None  # noqa: N815
    downloadUrl: str  # noqa: N815
    manifestUrl: str | None = None  # noqa: N815


class MediaFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a form needs."""

    filename: str
    hash: str
    downloadUrl: str  # noqa: N815


def form_list(forms: Iterable[Listed]) -> Response:
    """The forms there are; what is None of one is left out."""
    return _answer(f'<xforms xmlns="{LIST}">{_all("xform", forms)}</xforms>')


def manifest(files: Iterable[MediaFile]) -> Response:
    """The files a form needs."""
    return _answer(f'<manifest xmlns="{MANIFEST}">{_all("mediaFile", files)}</manifest>')


def told(nature: Nature, message: str, status: int) -> Response:
    """What became of a submission, in words for the person holding the phone."""
    return _answer(
        f'<OpenRosaResponse xmlns="{RESPONSE}"><message nature="{nature}">{escape(message)}'
        "</message></OpenRosaResponse>", status,
    )  # fmt: skip


def in_xml(response: Response) -> Response:
    """A problem document as an OpenRosa envelope; other answers as they are.

    Of whatever is asked below ``/openrosa``, be there such an address or not.
    """
    if not f"{request.path}/".startswith("/openrosa/"):
        return response
    response.headers.extend([VERSION])
    if response.mimetype != PROBLEM_JSON:
        return response
    problem = msgspec.json.decode(response.get_data(), type=Problem)
    envelope = told("submit_error", _sentences(problem), response.status_code)
    response.set_data(envelope.get_data())
    response.content_type = XML
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="green-water-coin"'
    return response


def _sentences(problem: Problem) -> str:
    """What is wrong in both languages, field by field."""
    zh = "；".join(f"{one.path}：{one.zh}" for one in problem.errors)
    en = "; ".join(f"{one.path}: {one.en}" for one in problem.errors)
    return "\n".join(filter(None, (problem.zh, zh, problem.en, en)))


def _all(element: str, things: Iterable[msgspec.Struct]) -> str:
    return "".join(f"<{element}>{_fields(one)}</{element}>" for one in things)


def _fields(thing: msgspec.Struct) -> str:
    return "".join(
        f"<{name}>{escape(value)}</{name}>"
        for name, value in msgspec.structs.asdict(thing).items() if value is not None
    )  # fmt: skip


def _answer(content: str, status: int = 200) -> Response:
    return Response(HEAD + content, status, content_type=XML)
