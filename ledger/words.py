"""Words (用语): the Chinese and English of the codes that facts and answers carry."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Text(msgspec.Struct, frozen=True):
    """One sentence or word in both languages of the house."""

    zh: str
    en: str

    def format(self, **values: object) -> Text:
        return Text(zh=self.zh.format(**values), en=self.en.format(**values))


# Something that can be seen, and nothing that cannot: no control, no mark that turns the line.
READABLE = r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]*$(?!\n)"
# The same for words that go into the log for good: none with a telephone's or a person's number.
PUBLIC = r"^(?!.*\d{7})" + READABLE.removeprefix("^")


ROLE_NAMES = {
    "citizen": Text("市民", "citizen"),
    "civic_river_chief": Text("民间河长", "civic river chief"),
    "village_chief": Text("村级河长", "village river chief"),
    "grid_worker": Text("网格员", "grid worker"),
    "cleaner": Text("河道保洁员", "river cleaner"),
    "enterprise": Text("沿岸企业", "riverside enterprise"),
    "dispatcher": Text("调度员", "dispatcher"),
    "handler": Text("处置员", "handler"),
    "reward_officer": Text("奖励专员", "reward officer"),
    "approver": Text("审批员", "approver"),
    "merchant": Text("兑换商户", "merchant"),
    "registrar": Text("登记员", "registrar"),
    "auditor": Text("审计员", "auditor"),
    "admin": Text("管理员", "administrator"),
    "open311": Text("外部系统", "outside system"),
}

STATE_NAMES = {
    "pending": Text("待审核", "waiting for a reviewer"),
    "review": Text("待人工复核", "waiting for a person to look at it"),
    "valid": Text("有效", "valid"),
    "rejected": Text("无效", "not valid"),
    "verified": Text("属实", "found to be true"),
    "refused": Text("未予认可", "not accepted"),
    "requested": Text("待批准", "waiting for its approval"),
    "issued": Text("已发券", "issued"),
    "collected": Text("已核销", "collected"),
    "cancelled": Text("已取消", "cancelled"),
    "declined": Text("未获批准", "declined"),
    "lapsed": Text("已逾期", "lapsed"),
    "proposed": Text("待确认", "waiting to be confirmed"),
    "confirmed": Text("已确认", "confirmed"),
    "approved": Text("已批准", "approved"),
    "held": Text("依法保全中", "under a legal hold"),
    "fenced": Text("正在删除", "being erased"),
    "limited": Text("已删除，依法保全的除外", "erased but for what is under a legal hold"),
    "completed": Text("已删除", "erased"),
}

FIELDS = {
    "address": Text("户址", "a household's address"),
    "alias": Text("榜上昵称", "the alias for the boards"),
    "answers": Text("问卷答案", "answers to a survey"),
    "basis": Text("保全依据", "the basis of a legal hold"),
    "birth_year": Text("出生年份", "the year of birth"),
    "decline": Text("不批准兑换的理由", "why a redemption was declined"),
    "device": Text("设备信息", "what the phone said of itself"),
    "edit": Text("走访修改", "edits of a visit"),
    "household": Text("户号", "the number of a household"),
    "name": Text("姓名或名称", "the name"),
    "phone": Text("电话", "the phone number"),
    "photo": Text("照片", "photos"),
    "place": Text("定位", "where it was"),
    "questions": Text("住户提问", "questions of a household"),
    "remark": Text("走访备注", "remarks on a visit"),
    "reversal": Text("撤回奖励的理由", "why an award was taken back"),
    "review": Text("审核意见", "what the reviewer said"),
    "said": Text("修改后的答案", "edited answers to a survey"),
    "sketch": Text("轨迹特征", "the sketch of a track"),
    "text": Text("问题描述", "the words of a report"),
    "track": Text("巡河轨迹", "the track of a patrol"),
}
"""All that the vault (保险库) keeps of anybody, so all that a legal hold may name."""
FIELDS_SAID = ", ".join(f"{name} {words.zh} ({words.en})" for name, words in FIELDS.items())

# Which words stand behind the codes of a field, by the field's name.
WORDS: dict[str, Mapping[str, Text]] = {
    "role": ROLE_NAMES,
    "verdict": STATE_NAMES,
    "state": STATE_NAMES,
    "category": {
        "litter": Text("岸边垃圾", "litter"),
        "floating_debris": Text("水面漂浮物", "floating debris"),
        "direct_sewage": Text("污水直排", "direct sewage"),
        "dry_weather_discharge": Text("晴天排水", "dry-weather discharge"),
        "black_odorous": Text("黑臭水体", "black and odorous water"),
        "oil": Text("油污", "oil"),
        "dead_animals": Text("病死动物", "dead animals"),
        "encroachment": Text("侵占河道", "encroachment"),
        "bank_damage": Text("护岸破损", "bank damage"),
        "illegal_fishing": Text("非法捕鱼", "illegal fishing"),
        "sand_mining": Text("非法采砂", "sand mining"),
        "signboard": Text("河长公示牌问题", "river chief signboard"),
        "other": Text("其他", "other"),
    },
    "outcome": {
        "met": Text("见面", "met"),
        "nobody_home": Text("无人在家", "nobody home"),
        "refused": Text("拒访", "refused"),
        "moved": Text("已搬离", "moved"),
        "vacant": Text("空置", "vacant"),
        "by_phone": Text("电话", "by phone"),
    },
    "reason": {
        "weather": Text("天气", "the weather"),
        "high_water": Text("水位过高", "high water"),
        "works": Text("施工", "works on the way"),
        "sold_out": Text("已兑完", "sold out"),
        "insufficient_coins": Text("绿水币不足", "not enough coins"),
        "too_many_lots": Text("批次过多", "too many lots at once"),
        "monthly_limit": Text("达到每月限额", "the monthly limit"),
        "offer_closed": Text("未开放", "the offer is closed"),
        "offer_elsewhere": Text("只面向另一个行政区", "for another district"),
        "fraud": Text("弄虚作假", "fraud"),
        "duplicate": Text("重复", "a duplicate"),
        "mistake": Text("误发", "a mistake"),
        "erased": Text("个人信息已删除", "personal data erased"),
        "other": Text("其他", "another reason"),
    },
    "what": {
        "awarded": Text("发放", "awarded"),
        "refused": Text("未发放", "refused"),
        "held": Text("兑换冻结", "held for a redemption"),
        "spent": Text("已花费", "spent"),
        "returned": Text("退回", "returned"),
        "expired": Text("过期", "expired"),
        "reversed": Text("撤回", "taken back"),
        "given": Text("捐出", "given"),
        "received": Text("收到捐赠", "received"),
        "donation": Text("捐赠", "donation"),
    },
    "basis": {
        "consent_withdrawn": Text("撤回同意", "consent withdrawn"),
        "purpose_over": Text("目的已实现或不再必要", "its purpose is over"),
        "retention_over": Text("保存期限届满", "kept long enough"),
        "unlawful": Text("违法或违约处理", "unlawfully processed"),
        "investigation": Text("调查取证", "an investigation"),
        "litigation": Text("诉讼", "a lawsuit"),
        "audit": Text("审计", "an audit"),
        "retention": Text("法定保存", "to be kept by law"),
        "other": Text("其他", "another reason"),
    },
    "kind": {"team": Text("团队", "team"), "enterprise": Text("企业", "enterprise")},
    "district": {"*": Text("全市", "the whole city")},
    "consent": {
        "track": Text("使用巡河轨迹", "the use of patrol tracks"),
        "board": Text("排行榜展示", "being shown on the boards"),
        "photo": Text("使用照片", "the use of photos"),
    },
}


def in_words(field: str, value: object) -> Text:
    """A field's value as people say it; itself where it is no code."""
    found = WORDS.get(field, {}).get(str(value))
    return found or Text(str(value), str(value))
