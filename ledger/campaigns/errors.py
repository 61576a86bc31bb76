"""What campaigns and visits refuse, each with a sentence a person can act on."""

from __future__ import annotations

from typing import TypeVar

from ledger.errors import (
    AlreadyDecided,
    FieldError,
    Forbidden,
    InvalidInput,
    LedgerError,
    NotFound,
)

E = TypeVar("E", bound=LedgerError)


def at(path: str, refusal: E) -> E:
    """The refusal with the field that it is about."""
    words = refusal.sentence_zh, refusal.sentence_en
    refusal.errors = (FieldError(path, refusal.code, *words),)
    return refusal


class UnknownCampaign(NotFound):
    code = "unknown_campaign"
    zh = "没有这个走访活动；请更新活动列表。"
    en = "There is no such campaign; update the list of campaigns."


class CampaignNotOpen(LedgerError):
    code = "campaign_not_open"
    zh = "走访活动当时尚未开始；请核对走访时间，或等活动开始后再登记。"
    en = "The campaign was not open at that time; check when the visit was, or wait until it opens."


class StillPlanned(CampaignNotOpen):
    zh = "走访活动尚未启动；请先启动。"
    en = "The campaign was not opened yet; open it first."


class CampaignElsewhere(Forbidden):
    code = "campaign_elsewhere"
    zh = "这个走访活动属于另一个行政区，由该区的调度员管理。"
    en = "This campaign is another district's; a dispatcher of that district runs it."


class CampaignDaysOver(LedgerError):
    code = "campaign_days_over"
    zh = "走访活动的最后一天是 {ends_on}，已经过去；请以新的日期另行策划。"
    en = "The campaign's last day was {ends_on}; plan another one with days to come."


class CampaignOver(LedgerError):
    code = "campaign_closed"
    zh = "走访活动已结束；只有活动期间的走访还能补交。"
    en = "The campaign is closed; only what was visited while it was open is still taken in."


class AlreadyOpen(LedgerError):
    code = "already_open"
    zh = "走访活动已经开始过。"
    en = "The campaign was opened already."


class AlreadyClosed(LedgerError):
    code = "already_closed"
    zh = "走访活动已经结束。"
    en = "The campaign is closed already."


class FrameFrozen(LedgerError):
    code = "frame_frozen"
    zh = "活动开始后走访底册不再变动。"
    en = "The frame of households stands still once the campaign was opened."


class EmptyFrame(LedgerError):
    code = "empty_frame"
    zh = "走访底册还没有住户；请先导入住户，再开始活动。"
    en = "The frame has no households yet; import them, then open the campaign."


class UnknownHousehold(InvalidInput):
    code = "unknown_household"
    zh = "走访底册中没有户 {household}；请核对户号。"
    en = "The frame has no household {household}; check its number."


class OtherGrid(LedgerError):
    code = "other_grid"
    zh = "户 {household} 属于网格 {grid}，不在您负责的辖区；请由该网格的网格员登记。"
    en = "The household {household} is in the grid {grid}, which is not yours; its worker logs it."


class UnknownMaterial(InvalidInput):
    code = "unknown_material"
    zh = "本次活动没有这种物品：{material}。"
    en = "The campaign has no material {material}."


class StockExceeded(LedgerError):
    code = "stock_exceeded"
    zh = "物品 {material} 库存不足，只剩 {left} 份；请核对数量，或先补充库存。"
    en = "The stock has {left} of {material} left, fewer than that; check the count, or get more."


class WithdrawWindowOver(LedgerError):
    code = "withdraw_window_over"
    zh = "提交已超过 {hours} 小时，不能再撤回；请联系调度员。"
    en = "It was sent in more than {hours} hours ago and cannot be withdrawn; ask a dispatcher."


class VisitIsDecided(AlreadyDecided):
    zh = "这次走访已经审核（{state}），不能再撤回；如有错误，请联系调度员。"
    en = "This visit was reviewed ({state}) and cannot be withdrawn; ask a dispatcher if need be."


class TooManyEdits(LedgerError):
    code = "too_many_edits"
    zh = "这次走访已修改 {edits} 次，不能再改；请撤回，或请调度员不予认可，然后重新登记。"
    en = (
        "This visit was edited {edits} times and takes no more; withdraw it or have a dispatcher "
        "refuse it, and log it anew."
    )


class VisitIsWithdrawn(LedgerError):
    code = "visit_withdrawn"
    zh = "这次走访已撤回，不能再修改；如有需要请登记一次新的走访。"
    en = "This visit was withdrawn and cannot be edited; log a new one if need be."


class BuildsOnItself(InvalidInput):
    code = "builds_on_itself"
    zh = "这次修改直接或间接以自身为上一版本，无法登记；请在走访的现有版本上重新修改。"
    en = (
        "This edit replaces itself, if only by way of others, and can never be recorded; edit the "
        "visit anew as it stands."
    )


class EarlierItemMissing(LedgerError):
    code = "earlier_item_missing"
    zh = "所依据的上一份内容尚未收到；请保留本条，待上一份提交后重发。"
    en = "What it builds on was not received yet; keep it, and send it again after the other."
