"""Refusals as ``application/problem+json`` (RFC 9457): one table from classes to statuses.

No answer ever holds a stack, a value somebody sent, or a word of SQL.
"""

from __future__ import annotations

import logging
import traceback
from typing import Any
from uuid import uuid4

import msgspec
from eventsourcing.persistence import (
    InterfaceError,
    InternalError,
    OperationalError,
    PersistenceError,
)
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from api.published import DAMAGED, LogDamaged, LogUnready
from api.tails import TooManyTails
from ledger import errors as refused
from ledger.campaigns import errors as campaigns
from ledger.commands import TooLarge
from ledger.contributing import ChangedSince
from ledger.devices import DeviceSeqReused
from ledger.erasure import errors as erasures
from ledger.errors import LedgerError
from ledger.store.errors import EntryTooLarge, Overloaded, StoreClosed
from ledger.trails import errors as trails
from projections.store import StoreDown, ViewNotReady

log = logging.getLogger("gwc.error")

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_SECONDS = 1
# So much of a body that is too long is read, so that its sender gets to hear the answer.
DRAIN_BYTES_MAX = 16 * 1024 * 1024


class MissingSubmissionId(LedgerError):
    code = "missing_submission_id"
    zh = "缺少提交编号 submission_id；请为每份内容生成一个 UUID。"
    en = "submission_id is missing; make a UUID for each new content."


class MalformedJson(LedgerError):
    code = "malformed_json"
    zh = "请求正文不是有效的 JSON 对象。"
    en = "The body is not a valid JSON object."


class UnsupportedMediaType(LedgerError):
    code = "unsupported_media_type"
    zh = "只接受 UTF-8 的 application/json。"
    en = "Only application/json in UTF-8 is accepted."


class UnsupportedEncoding(LedgerError):
    code = "unsupported_encoding"
    zh = "不接受压缩的请求正文（Content-Encoding）。"
    en = "A compressed body (Content-Encoding) is not accepted."


class Unauthenticated(LedgerError):
    code = "unauthenticated"
    zh = "缺少访问令牌，或令牌无效、已被吊销。"
    en = "There is no access token, or it is unknown or revoked."


class Behind(LedgerError):
    code = "behind"
    zh = "数据正在更新，尚未包含您要求的记录；请稍后再试。"
    en = "The view has not reached that position yet; try again in a moment."


class ServerOverloaded(LedgerError):
    code = "overloaded"
    zh = "系统繁忙，本次提交未被记录；请稍后用同一提交编号重试。"
    en = "Too busy; nothing was recorded. Send the same submission again in a moment."


class DatabaseUnavailable(LedgerError):
    code = "database_unavailable"
    zh = "数据库暂时不可用；请稍后用同一提交编号重试。"
    en = "The database is not available; send the same submission again in a moment."


class HttpProblem(LedgerError):
    """What Flask and Werkzeug refuse by themselves, under a code of ours."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.code, self.zh, self.en = HTTP.get(status, HTTP[400])  # type: ignore[misc]
        super().__init__()


class Internal(LedgerError):
    code = "internal_error"
    zh = "系统内部错误；请把本答复中 instance 一项的编号告诉管理员。"
    en = "An internal error; tell the operator the number under `instance` in this answer."


def _words(refusal: type[LedgerError]) -> tuple[str, str, str]:
    return refusal.code, refusal.zh, refusal.en


HTTP = {
    400: ("bad_request", "请求无法理解。", "The request cannot be understood."),
    404: _words(refused.NotFound),
    405: ("method_not_allowed", "此地址不支持该方法。", "This address has no such method."),
    413: ("body_too_large", "请求正文超过 2 MiB。", "The body exceeds 2 MiB."),
    415: _words(UnsupportedMediaType),
    429: ("rate_limited", "请求过于频繁，请稍后再试。", "Too many requests; try again later."),
}

# The one table. A class is answered as its nearest ancestor here.
STATUS: dict[type[LedgerError], int] = {
    LedgerError: 400,
    MissingSubmissionId: 400,
    MalformedJson: 400,
    Unauthenticated: 401,
    refused.Forbidden: 403,
    refused.SelfReview: 403,
    refused.SelfApproval: 403,
    refused.OwnOffer: 403,
    refused.NotFound: 404,
    refused.BeforeHistory: 404,
    refused.AfterHistory: 404,
    refused.SubmissionConflict: 409,
    refused.PolicyConflict: 409,
    refused.PolicyBackdated: 409,
    refused.AlreadyDecided: 409,
    refused.RedemptionRefusal: 409,
    refused.PriceChanged: 409,
    refused.AlreadyCollected: 409,
    refused.RedemptionOver: 409,
    refused.VoucherLapsed: 409,
    refused.WrongVoucher: 409,
    refused.NothingToReverse: 409,
    refused.AlreadyReversed: 409,
    refused.ReversalOver: 409,
    refused.AwardExpired: 409,
    campaigns.CampaignNotOpen: 409,
    campaigns.CampaignOver: 409,
    campaigns.CampaignDaysOver: 409,
    campaigns.AlreadyOpen: 409,
    campaigns.AlreadyClosed: 409,
    campaigns.FrameFrozen: 409,
    campaigns.EmptyFrame: 409,
    campaigns.OtherGrid: 403,
    campaigns.StockExceeded: 409,
    campaigns.WithdrawWindowOver: 409,
    campaigns.TooManyEdits: 409,
    ChangedSince: 409,
    campaigns.VisitIsWithdrawn: 410,
    campaigns.EarlierItemMissing: 409,
    DeviceSeqReused: 409,
    erasures.AlreadyErased: 409,
    erasures.ErasureOpen: 409,
    erasures.ErasureOver: 409,
    erasures.HoldOver: 409,
    trails.TrailAlreadyPaused: 409,
    trails.TrailNotPaused: 409,
    trails.TrailIsClosed: 409,
    refused.Erased: 410,
    UnsupportedMediaType: 415,
    UnsupportedEncoding: 415,
    refused.InvalidInput: 422,
    TooLarge: 422,
    Internal: 500,
    refused.LogCorrupt: 500,
    refused.Contended: 503,
    Behind: 503,
    ViewNotReady: 503,
    ServerOverloaded: 503,
    DatabaseUnavailable: 503,
    TooManyTails: 503,
    LogUnready: 503,
}
# What the store and the views raise, and what it is called here; the first that fits.
NAMED: tuple[tuple[type[Exception], type[LedgerError]], ...] = (
    (EntryTooLarge, TooLarge),
    (Overloaded, ServerOverloaded),
    (StoreClosed, DatabaseUnavailable),
    (OperationalError, DatabaseUnavailable),
    (InterfaceError, DatabaseUnavailable),
    (InternalError, DatabaseUnavailable),
    (StoreDown, DatabaseUnavailable),
    *((cls, LogDamaged) for cls in DAMAGED),
)


class Problem(msgspec.Struct):
    """The body of every refusal; ``detail`` is ``zh`` or ``en``, as Accept-Language prefers."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    zh: str
    en: str
    instance: str
    errors: tuple[refused.FieldError, ...] = ()


def status_of(error: LedgerError) -> int:
    """The HTTP status of a refusal, from the table."""
    if isinstance(error, HttpProblem):
        return error.status
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def answer(error: LedgerError) -> Response:
    """The problem document of a refusal."""
    status = status_of(error)
    zh, en = error.sentence_zh, error.sentence_en
    language, number = _language(), uuid4()
    problem = Problem(
        type=f"urn:green-water-coin:problem:{error.code}", title=error.code.replace("_", " "),
        status=status, code=error.code, detail=en if language == "en" else zh, zh=zh, en=en,
        instance=f"urn:uuid:{number}", errors=error.errors,
    )  # fmt: skip
    response = Response(msgspec.json.encode(problem), status, mimetype=PROBLEM_JSON)
    response.headers["Content-Language"] = language
    if error.replayed:
        response.headers["Idempotent-Replay"] = "true"
    if status == 503:
        seconds = getattr(error, "retry_after_seconds", RETRY_AFTER_SECONDS)
        response.headers["Retry-After"] = str(seconds)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="green-water-coin"'
    if status >= 500:
        _tell_the_operator(error, str(number))
    return response


def _language() -> str:
    """The language liked best of those there are; zh-CN is zh, and without a wish it is zh."""
    for wanted, quality in request.accept_languages:
        if quality > 0 and (primary := wanted.partition("-")[0].lower()) in ("zh", "en"):
            return primary
    return "zh"


def register(app: Flask) -> None:
    """Answer every exception of the app as a problem; the last resort included."""
    app.register_error_handler(LedgerError, answer)
    app.register_error_handler(HTTPException, _http_refusal)
    app.register_error_handler(Exception, _surprise)


def _http_refusal(error: HTTPException) -> Response:
    if error.code == 413:
        _drain()
    if (error.code or 500) >= 500:
        return _surprise(getattr(error, "original_exception", None) or error)
    response = answer(HttpProblem(error.code or 400))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _surprise(error: Exception) -> Response:
    for cls, name in NAMED:
        if isinstance(error, cls):
            problem = name()
            problem.__cause__ = error
            return answer(problem)
    problem = Internal()
    problem.__cause__ = error
    return answer(problem)


def _drain() -> None:
    stream, left = request.environ["wsgi.input"], DRAIN_BYTES_MAX
    try:
        while left > 0 and (chunk := stream.read(min(left, 65_536))):
            left -= len(chunk)
    except Exception:  # noqa: BLE001  The sender is gone, so nobody waits for the answer either.
        return


def _tell_the_operator(error: LedgerError, number: str) -> None:
    """Which error and where it arose; never its message, which may hold what somebody sent."""
    cause: Any = error.__cause__ or error
    stack = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
             for frame in traceback.extract_tb(cause.__traceback__)]  # fmt: skip
    expected = isinstance(cause, PersistenceError) or not isinstance(error, Internal)
    log.log(
        logging.WARNING if expected else logging.ERROR,
        error.code,
        extra={"fields": {"error": type(cause).__name__, "instance": number, "stack": stack[-12:]}},
    )
