"""Awards (发放): the rules every award passes, whatever it is for, and the caps that cut it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from ledger.coins import AwardRefused, CoinsAwarded
from ledger.days import day_of, end_of_following_year
from ledger.facts import Text
from ledger.policy import Granted, Policy, Refused
from ledger.wallet import REMEMBERED_DAYS, Wallet

REASONS = {
    "role_not_eligible": Text(
        zh="按当时生效的政策，您的角色不参与绿水币奖励。",
        en="Under the policy in force your role does not earn coins.",
    ),
    "own_duty": Text(
        zh="这是您本人辖区内的本职工作，不另发绿水币。",
        en="This is your own paid duty in your own district and earns no coins.",
    ),
    "past_expiry": Text(
        zh="预算追加时，这笔绿水币的有效期已过，不再发放。",
        en="By the time the budget was raised these coins would have expired.",
    ),
    "time_overlap": Text(
        zh="这段时间已经为您的另一次活动发放过绿水币，同一时段只奖励一次。",
        en="Part of this time was already rewarded to you; the same minutes are paid once.",
    ),
    "too_old": Text(
        zh="距活动当天已久，超过了补交期限，不能计入奖励；请下次在期限内提交。",
        en="It happened too long ago to be rewarded; next time send it within the late period.",
    ),
    "cap_kind": Text(
        zh="当天此类活动的绿水币已达上限，超出部分不再发放。",
        en="That day's limit for this kind of contribution was reached; the rest is not paid.",
    ),
    "cap_day": Text(
        zh="当天的绿水币已达每日上限，超出部分不再发放。",
        en="That day's limit was reached; the rest is not paid.",
    ),
    "cap_month": Text(
        zh="当月的绿水币已达每月上限，超出部分不再发放。",
        en="That month's limit was reached; the rest is not paid.",
    ),
    "no_policy": Text(
        zh="活动当天没有生效的奖励政策。",
        en="No reward policy was in force on that day.",
    ),
    "kind_not_rewarded": Text(
        zh="活动当天生效的政策不奖励此类活动。",
        en="The policy in force on that day does not reward this kind of contribution.",
    ),
    "rule_grants_none": Text(
        zh="按活动当天生效的政策，这一项发放 0 枚绿水币。",
        en="The policy in force on that day grants 0 coins for this.",
    ),
    "debt_first": Text(
        zh="您此前有一笔发放被撤回、尚欠绿水币，本次发放先用于抵扣所欠。",
        en="An earlier award was taken back and coins are owed; this award pays them first.",
    ),
    "award_reversed": Text(
        zh="这笔发放经两人核实后已撤回，绿水币已收回。",
        en="Two people found this award to be wrong; its coins were taken back.",
    ),
    "budget_used_up": Text(
        zh="所在地区当年的绿水币预算已用完；预算追加后自动补发，无需重新提交。",
        en="The district's budget of the year is used up; this is paid as soon as it is raised.",
    ),
    "refused_by_reviewer": Text(
        zh="审核人员未予认可，具体原因见该条记录中的审核意见。",
        en="A reviewer did not accept it; their words stand with the contribution.",
    ),
}


class Claim(msgspec.Struct, frozen=True):
    """What an award is asked for: whose, for which cause, when it was earned and where."""

    participant_id: UUID
    kind: str
    cause: UUID
    role: str
    held: dict[str, tuple[str, ...]]
    districts: tuple[str, ...]
    earned_on: date
    began_at: datetime | None = None
    ended_at: datetime | None = None


# Rules that refuse: each says no with a reason code, or None.


def the_role_earns(wallet: Wallet, claim: Claim, policy: Policy, now: datetime) -> str | None:
    return None if policy.role(claim.role).eligible else "role_not_eligible"


def nobody_earns_for_their_own_duty(
    wallet: Wallet, claim: Claim, policy: Policy, now: datetime
) -> str | None:
    own = any(
        claim.kind in policy.role(role).duty and not _apart(path, claim.districts)
        for role, path in claim.held.items()
    )
    return "own_duty" if own else None


def _apart(duty: tuple[str, ...], place: tuple[str, ...]) -> bool:
    """Whether two places, as paths lowest first, cannot overlap; the whole city always does."""
    return bool(duty and place) and duty[0] not in place and place[0] not in duty


def the_day_is_still_remembered(
    wallet: Wallet, claim: Claim, policy: Policy, now: datetime
) -> str | None:
    oldest = (now - timedelta(days=REMEMBERED_DAYS - 1)).date()
    # The month's count must be whole as well.
    return "too_old" if claim.earned_on.replace(day=1) < oldest else None


def the_coins_would_still_be_good(
    wallet: Wallet, claim: Claim, policy: Policy, now: datetime
) -> str | None:
    return "past_expiry" if end_of_following_year(claim.earned_on) < day_of(now) else None


def the_same_minutes_are_paid_once(
    wallet: Wallet, claim: Claim, policy: Policy, now: datetime
) -> str | None:
    if claim.began_at is None or claim.ended_at is None:
        return None
    for began, ended in wallet.paid:
        if claim.began_at < ended and began < claim.ended_at:
            return "time_overlap"
    return None


Rule = Callable[[Wallet, Claim, Policy, datetime], str | None]
# The names are stored with every refusal, so they are written by hand and never change.
RULES: dict[str, Rule] = {
    "role.eligible": the_role_earns,
    "role.duty": nobody_earns_for_their_own_duty,
    "day.remembered": the_day_is_still_remembered,
    "lot.good": the_coins_would_still_be_good,
    "time.once": the_same_minutes_are_paid_once,
}


def award(
    wallet: Wallet, claim: Claim, granted: Granted | Refused, policy: Policy, now: datetime
) -> CoinsAwarded | AwardRefused:
    """Decide one award: the kind's own ruling first, then the common rules, then the caps.

    A cap cuts the award to what is left of it; what is cut to nothing is refused.
    """
    if not isinstance(granted, Granted):
        return refused(claim, granted.rule, policy.version, granted.reasons)
    for name, rule in RULES.items():
        if reason := rule(wallet, claim, policy, now):
            return refused(claim, name, policy.version, (reason,))
    coins, cuts = _capped(wallet, claim, granted.coins, policy)
    if coins == 0:
        return refused(claim, granted.rule, policy.version, cuts or ("rule_grants_none",))
    to_debt = min(wallet.debt, coins)
    return CoinsAwarded(
        participant_id=claim.participant_id,
        amount=coins,
        cause=claim.cause,
        kind=claim.kind,
        rule=granted.rule,
        policy_version=policy.version,
        earned_on=claim.earned_on,
        expires_on=end_of_following_year(claim.earned_on),
        role=claim.role,
        districts=claim.districts,
        reasons=(*granted.reasons, *cuts, *(("debt_first",) if to_debt else ())),
        began_at=claim.began_at,
        ended_at=claim.ended_at,
        to_debt=to_debt,
    )


def _capped(
    wallet: Wallet, claim: Claim, coins: int, policy: Policy
) -> tuple[int, tuple[str, ...]]:
    """The coins left under each cap in turn, and the caps that cut."""
    day, cuts = claim.earned_on, []
    limits = [
        (f"cap_{claim.kind}", policy.kinds[claim.kind].day_max,
         wallet.earned_in_day(day, claim.kind)),
        ("cap_day", policy.caps.day, wallet.earned_in_day(day)),
        ("cap_month", policy.caps.month, wallet.earned_in_month(day)),
    ]  # fmt: skip
    for reason, limit, used in limits:
        if limit is not None and coins > limit - used:
            coins = max(limit - used, 0)
            cuts.append(reason)
    return coins, tuple(cuts)


def refused(
    claim: Claim, rule: str, policy_version: str, reasons: tuple[str, ...]
) -> AwardRefused:
    """The fact that a claim earned nothing, by which rule and why."""
    return AwardRefused(
        participant_id=claim.participant_id,
        cause=claim.cause,
        kind=claim.kind,
        rule=rule,
        policy_version=policy_version,
        earned_on=claim.earned_on,
        reasons=reasons,
    )


BUDGET = "budget.room"


def over_budget(award: CoinsAwarded) -> AwardRefused:
    """The same award refused because a budget has no room; it is paid once there is some."""
    return AwardRefused(
        participant_id=award.participant_id,
        cause=award.cause,
        kind=award.kind,
        rule=BUDGET,
        policy_version=award.policy_version,
        earned_on=award.earned_on,
        reasons=("budget_used_up",),
    )
