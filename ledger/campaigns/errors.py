"""What campaigns and visits refuse, each with a sentence a person can act on."""

from __future__ import annotations

from ledger.errors import InvalidInput, LedgerError, NotFound


class UnknownCampaign(NotFound):
    code = "unknown_campaign"
    zh = "没有这个走访活动；请更新活动列表。"
    en = "There is no such campaign; update the list of campaigns."


class CampaignNotOpen(LedgerError):
    code = "campaign_not_open"
    zh = "走访活动当时尚未开始；请核对走访时间，或等活动开始后再登记。"
    en = "The campaign was not open at that time; check when the visit was, or wait until it opens."


class CampaignClosed(LedgerError):
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
    zh = "物品 {material} 的库存不足，登记的数量超过了剩余库存；请核对数量，或先补充库存。"
    en = "More of {material} than the stock has left; check the count, or have more allotted."


class WithdrawWindowOver(LedgerError):
    code = "withdraw_window_over"
    zh = "提交已超过 {hours} 小时，不能再撤回；请联系调度员。"
    en = "It was sent in more than {hours} hours ago and cannot be withdrawn; ask a dispatcher."


class VisitIsWithdrawn(LedgerError):
    code = "visit_withdrawn"
    zh = "这次走访已撤回，不能再修改；如有需要请登记一次新的走访。"
    en = "This visit was withdrawn and cannot be edited; log a new one if need be."


class EarlierItemMissing(LedgerError):
    code = "earlier_item_missing"
    zh = "所依据的上一份内容尚未收到；请保留本条，待上一份提交后重发。"
    en = "What it builds on was not received yet; keep it, and send it again after the other."
