"""What a check found wrong, and what it is shown, as data."""

from __future__ import annotations

import msgspec

from ledger.facts import Text

DETAIL_MAX = 500

CODES: dict[str, Text] = {
    "POSITION": Text("位置不连续", "positions are not gapless"),
    "UNREADABLE": Text("这一行无法读取", "the row cannot be read"),
    "LEAF_HASH": Text("叶子哈希与内容不符", "the leaf hash is not that of the row"),
    "VERSION": Text("同一对象的版本不连续", "the originator's versions are not unbroken"),
    "UNKNOWN_FACT": Text("未知的事实名称", "no fact has this name"),
    "CORRUPT_FACT": Text("内容无法解读", "the state cannot be read as this fact"),
    "NOT_CANONICAL": Text("内容不是原样写入的", "the state is not as this ledger writes it"),
    "OUT_OF_PLACE": Text("事实不属于这个对象", "the fact does not belong to this originator"),
    "ACTOR": Text("此人当时没有相应的角色", "whoever this names did not hold the role then"),
    "REWARD_DAY": Text("奖励日不在允许的期限内", "the reward day is too late or still to come"),
    "SELF_REVIEW": Text("审核了自己提交的内容", "somebody reviewed their own contribution"),
    "VERDICT": Text("判定与测量值不符", "the verdict does not follow from the measurements"),
    "AWARD_MISSING": Text("缺少应有的奖励结论", "the money fact that must stand here is missing"),
    "AWARD_UNFOUNDED": Text("奖励没有依据", "no contribution was decided right before it"),
    "AWARD_TWICE": Text("同一原因奖励两次", "the cause was settled before"),
    "AWARD_DIFFERS": Text("奖励与重算结果不同", "recomputing gives another money fact"),
    "COINS_MISSING": Text("缺少应有的绿水币变动", "the movement of coins due here is missing"),
    "COINS_UNFOUNDED": Text("绿水币变动没有依据", "nothing was decided right before this movement"),
    "COINS_DIFFER": Text("绿水币变动与重算结果不同", "recomputing gives another movement of coins"),
    "EXPIRY": Text("过期的不是到期的批次", "what expired is not what was due"),
    "BUDGET": Text("与预算不符", "the budgets say otherwise"),
    "QUOTA": Text("已用额度与日志不符", "what is used is not what the log gives"),
    "REDEMPTION": Text("这一步兑换不应发生", "this step of a redemption could not have been"),
    "REVERSAL": Text("这一步撤回不应发生", "this step of a reversal could not have been"),
    "ACCOUNT": Text("这一账户变动不应发生", "this change of an account could not have been"),
    "TRAIL": Text("与打卡线路不符", "the trails say otherwise"),
    "OFFER": Text("这一商品变动不应发生", "this change of the catalogue could not have been"),
    "CREDIT": Text("计入与奖励不符", "what counts is not what the awards say"),
    "CAMPAIGN": Text("这一步走访活动不应发生", "this step of a campaign could not have been"),
    "FRAME": Text("走访底册不应有此户", "this household could not have been listed"),
    "VISIT": Text("这次走访或更正不应如此", "this visit or its change could not have been so"),
    "CAP_EXCEEDED": Text("超过奖励上限", "a cap of the policy in force is exceeded"),
    "BALANCE": Text("账目不平或出现负数", "coins do not add up or are negative"),
    "POLICY": Text("政策发布有误", "the policy could not have been published"),
    "SNAPSHOT": Text("快照与日志不符", "the snapshot is not what the log gives"),
    "ERASURE": Text("这一步删除或保全不应如此", "this step of an erasure could not have been"),
    "HOLD": Text("冻结早已逾期仍未结束", "a hold should have ended long before"),
    "VAULT": Text("保险库内容与日志不符", "the vault does not hold what the log committed to"),
    "BUNDLE": Text("公开日志或审计包的文件缺失或损坏", "a published file is missing or damaged"),
    "CHECKPOINT": Text("检查点未按信任策略签名", "the checkpoint is not signed as it must be"),
    "TILE": Text("瓦片与历史记录不符", "a tile is not what the entries give"),
    "ROOT": Text("根哈希与检查点不符", "the entries do not have the root that was signed"),
    "FORK": Text("与较早的检查点不符", "an older checkpoint is no beginning of this log"),
    "PUBLISHED": Text("与已公布的记录不符", "the row is not the entry that was published"),
    "HEAD": Text("日志头与记录不符", "the head of the log is not what was signed or recorded"),
    "VIEW": Text("视图与重放结果不符", "the view is not what a replay gives"),
}


class Finding(msgspec.Struct, frozen=True):
    """One fault: its code, the position it is at, and a sentence."""

    code: str
    position: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} position={self.position} {self.text}"


class Unreadable(msgspec.Struct, frozen=True):
    """The row behind the one before it cannot even be read from its table."""

    position: int
    problem: str


def found(code: str, position: int, detail: str = "") -> Finding:
    """A finding in both languages, with what was seen, in one line of letters that can be seen.

    Whoever forged what is shown here may want it to move the cursor of a terminal, or to be long.
    """
    words, seen = CODES[code], " ".join(detail[: DETAIL_MAX + 1].split())
    seen = seen if len(seen) <= DETAIL_MAX else f"{seen[:DETAIL_MAX]}…"
    seen = "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in seen)
    return Finding(code, position, f"{words.zh} / {words.en}" + (f": {seen}" if seen else ""))
