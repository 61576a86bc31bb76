"""What trails refuse, each with a sentence a person can act on."""

from __future__ import annotations

from ledger.errors import Forbidden, InvalidInput, LedgerError


class UnknownTrail(InvalidInput):
    code = "unknown_trail"
    zh = "没有这条打卡线路；请从线路列表中选择。"
    en = "There is no such trail; choose one from the list of trails."


class UnknownPoint(InvalidInput):
    code = "unknown_point"
    zh = "这条线路上没有这个打卡点；请更新线路后重试。"
    en = "The trail has no such point; update the trail and try again."


class TrailElsewhere(Forbidden):
    code = "trail_elsewhere"
    zh = "这条打卡线路属于另一个行政区，由该区的调度员管理。"
    en = "This trail is another district's; a dispatcher of that district runs it."


class TrailAlreadyPaused(LedgerError):
    code = "trail_already_paused"
    zh = "打卡线路已经暂停。"
    en = "The trail is paused already."


class TrailNotPaused(LedgerError):
    code = "trail_not_paused"
    zh = "打卡线路没有暂停，无需恢复。"
    en = "The trail is not paused, so there is nothing to resume."


class TrailIsClosed(LedgerError):
    code = "trail_is_closed"
    zh = "打卡线路已经关闭，不能再更改；如有需要请发布一条新线路。"
    en = "The trail is closed for good and cannot be changed; publish a new one if need be."
