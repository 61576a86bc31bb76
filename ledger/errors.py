"""What the ledger refuses, each with a stable code and a sentence a person can act on.

Nothing here knows of HTTP; ``api/errors.py`` holds the one table from these classes to statuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from ledger.words import in_words


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field; ``path`` as in ``track.times[5]``."""

    path: str
    code: str
    zh: str
    en: str


class LedgerError(Exception):
    """Base of all refusals. ``detail`` fills the sentences and never holds personal data."""

    code: ClassVar[str] = "ledger_error"
    zh: ClassVar[str] = "操作未能完成。"
    en: ClassVar[str] = "The operation could not be completed."

    replayed = False
    """Whether it is the stored answer to a command that was sent in before."""

    def __init__(self, errors: Sequence[FieldError] = (), **detail: object) -> None:
        self.errors = tuple(errors)
        self.detail = detail
        super().__init__(self.en.format(**detail))

    @property
    def sentence_zh(self) -> str:
        return self.zh.format(**{key: in_words(key, one).zh for key, one in self.detail.items()})

    @property
    def sentence_en(self) -> str:
        return self.en.format(**{key: in_words(key, one).en for key, one in self.detail.items()})


class InvalidInput(LedgerError):
    code = "invalid_input"
    zh = "提交的内容有误，请按下列各项更正后重新提交。"
    en = "The request has errors; correct the fields listed and send it again."


class UnknownReach(InvalidInput):
    code = "unknown_reach"
    zh = "没有编号为 {reach_id} 的河段；请从河段列表中选择，或不填。"
    en = "There is no reach {reach_id}; choose one from the list of reaches, or leave it out."


class UnknownDistrict(InvalidInput):
    code = "unknown_district"
    zh = "没有代码为 {district} 的行政区；请先导入或更正代码。"
    en = "There is no district {district}; import it first or correct the code."


class FutureTime(InvalidInput):
    code = "future_time"
    zh = "时间晚于现在五分钟以上；请校准手机时钟后重新提交。"
    en = "A time lies more than 5 minutes in the future; set the phone's clock and send it again."


class InvalidPolicy(InvalidInput):
    code = "invalid_policy"
    zh = "奖励政策文件有误：{problem}"
    en = "The reward policy file is wrong: {problem}"


class PolicyConflict(LedgerError):
    code = "policy_conflict"
    zh = "奖励政策 {version} 已经发布过，内容不同；请换一个版本号。"
    en = "Reward policy {version} was published before with other content; use a new version."


class PolicyBackdated(LedgerError):
    code = "policy_backdated"
    zh = "{effective_from} 起已经发放过绿水币，政策不能回溯到该日；请改为更晚的生效日期。"
    en = "Coins were already awarded for days since {effective_from}; choose a later date."


class SubmissionConflict(LedgerError):
    code = "submission_conflict"
    zh = "同一提交编号已用于另一份内容；请为新内容生成新的编号。"
    en = "This submission_id was used for another body; make a new one for new content."


class NotFound(LedgerError):
    code = "not_found"
    zh = "没有找到。"
    en = "Not found."


class Forbidden(LedgerError):
    code = "forbidden"
    zh = "您的角色没有此项权限。"
    en = "Your role does not have this right."


class SelfReview(LedgerError):
    code = "self_review"
    zh = "不能审核自己提交的内容。"
    en = "Nobody may review their own contribution."


class AlreadyDecided(LedgerError):
    code = "already_decided"
    zh = "这份内容已经有了结论（{state}），不能再次审核。"
    en = "This contribution was already decided ({state}) and cannot be reviewed again."


class UnknownOffer(NotFound):
    code = "unknown_offer"
    zh = "没有这项兑换；请从兑换商城中选择。"
    en = "There is no such offer; choose one from the catalogue."


class RedemptionRefusal(LedgerError):
    """Base of what is refused when somebody asks for an offer; it stands in the log as well."""


class SoldOut(RedemptionRefusal):
    code = "sold_out"
    zh = "库存不足，绿水币未扣除；请减少数量，或补货后重新提交。"
    en = "There are not enough left and no coins were taken; ask for fewer, or once restocked."


class InsufficientCoins(RedemptionRefusal):
    code = "insufficient_coins"
    zh = "可用绿水币不足；已冻结和已过期的不能使用。"
    en = "There are not enough coins available; held and expired ones cannot be spent."


class TooManyLots(RedemptionRefusal):
    code = "too_many_lots"
    zh = "您的绿水币分属过多批次，一次用不了这么多；请减少数量，分次办理。"
    en = "Your coins are in too many lots to use that many at once; take fewer at a time."


class MonthlyLimit(RedemptionRefusal):
    code = "monthly_limit"
    zh = "本月这项兑换已达每人限额，请下月再来。"
    en = "This month's limit for each person is reached; come back next month."


class OfferClosed(RedemptionRefusal):
    code = "offer_closed"
    zh = "这项兑换已下架，或不在有效期内。"
    en = "This offer was withdrawn, or is not open on this day."


class OfferElsewhere(RedemptionRefusal):
    code = "offer_elsewhere"
    zh = "这项兑换只面向另一个行政区。"
    en = "This offer is for people of another district."


class PriceChanged(LedgerError):
    code = "price_changed"
    zh = "兑换价已改为 {price} 枚，未扣除绿水币；请确认新价后重新提交。"
    en = "The price is {price} coins now and none were taken; look at it and ask again."


class OwnOffer(LedgerError):
    code = "own_offer"
    zh = "不能兑换自己提供的项目，也不能核销自己的兑换券。"
    en = "Nobody may redeem what they offer, or hand out what they redeemed, themselves."


class SelfApproval(LedgerError):
    code = "self_approval"
    zh = "不能决定自己提出或与自己有关的申请，请由另一人办理。"
    en = "Nobody may decide what they asked for, or what is theirs; another person has to."


class AlreadyCollected(LedgerError):
    code = "already_collected"
    zh = "这张兑换券已经核销，不能再次使用或取消。"
    en = "This was collected already; it can neither be used again nor be cancelled."


class RedemptionOver(LedgerError):
    code = "redemption_over"
    zh = "这笔兑换目前为“{state}”，不能进行此项操作。"
    en = "This redemption is {state}, so this cannot be done with it."


class VoucherLapsed(LedgerError):
    code = "redemption_lapsed"
    zh = "已超过期限（{deadline}），绿水币将退回原批次。"
    en = "Its last day was {deadline}; the coins go back to where they came from."


class WrongVoucher(LedgerError):
    code = "wrong_voucher"
    zh = "兑换码不正确，请核对后重试。"
    en = "This is not the code of this redemption; check it and try again."


class OtherMerchant(NotFound):
    code = "voucher_of_another_merchant"
    zh = "这张兑换券不属于本商户，请到对应的领取点核销。"
    en = "This voucher belongs to another merchant."


class UnknownAccount(NotFound):
    code = "unknown_account"
    zh = "没有这个账户或捐赠项目；绿水币只能捐给团队、企业账户或捐赠项目。"
    en = "There is no such account or cause; coins are given to teams, enterprises and causes."


class NothingToReverse(LedgerError):
    code = "nothing_to_reverse"
    zh = "这一项没有发放过绿水币，无可撤回；撤回本身也不能再撤回。"
    en = "No coins were awarded for this; a reversal itself cannot be taken back either."


class AlreadyReversed(LedgerError):
    code = "already_reversed"
    zh = "这笔发放已经撤回，或已有撤回申请在等待确认。"
    en = "This award was taken back already, or a proposal to do so waits for its confirmation."


class ReversalOver(LedgerError):
    code = "reversal_over"
    zh = "这项撤回申请已有结论（{state}）。"
    en = "This reversal was already {state}."


class AwardExpired(LedgerError):
    code = "award_expired"
    zh = "这批绿水币已于 {expires_on} 到期，超过追溯期，不能再撤回。"
    en = "These coins expired on {expires_on}; an award can be taken back until then."


class BeforeHistory(LedgerError):
    code = "before_history"
    zh = "该时点早于第一条历史记录（{first}），没有可查的余额。"
    en = "That is before the first entry of the history ({first}); there is nothing to show."


class AfterHistory(LedgerError):
    code = "after_history"
    zh = "历史记录目前只到第 {head} 条。"
    en = "The history ends at position {head}."


class Erased(LedgerError):
    code = "erased"
    zh = "个人信息已按要求删除。"
    en = "The personal data was erased on request."


class Contended(LedgerError):
    """Other commands kept winning the race for the same wallet; nothing was written."""

    code = "contended"
    zh = "同一账户的操作过于频繁，请稍后再试。"
    en = "Too many commands for the same account at once; try again in a moment."


class LogCorrupt(LedgerError):
    """Base of what must never be: the stored history cannot be trusted as it stands."""

    code = "log_corrupt"
    zh = "历史记录无法读取，请联系管理员。"
    en = "The stored history cannot be read; contact the operator."


class UnknownFact(LogCorrupt):
    code = "unknown_fact"
    en = "The log holds a fact of the unknown kind {topic}."


class CorruptFact(LogCorrupt):
    code = "corrupt_fact"
    en = "A stored {topic} cannot be read: {problem}"


class CommitmentBroken(LogCorrupt):
    code = "commitment_broken"
    en = "The vault's {field} is not what the log committed to."


class WrongVaultKey(LedgerError):
    """The vault was filled under another master key; nothing is written under this one."""

    code = "wrong_vault_key"
    zh = "保险库密钥不是本数据库的密钥；请恢复原来的密钥文件或 GWC_VAULT_KEY。"
    en = "The vault key is not this database's; restore the key file or GWC_VAULT_KEY it had."
