"""The reasons why a check-in earns nothing, each with a sentence for whoever checked in."""

from __future__ import annotations

from ledger.facts import Text

REASONS = {
    "out_of_reach": Text(
        zh="您的位置不在打卡点范围内；请走近后再打卡。",
        en="You are too far from the point; go nearer and check in again.",
    ),
    "inaccurate_fix": Text(
        zh="定位精度不足，无法确认位置；请到开阔处重新定位，或扫打卡码。",
        en="The fix is too inaccurate; wait for a better one in the open, or scan the code.",
    ),
    "wrong_code": Text(
        zh="打卡码不是这个打卡点的；请扫现场的打卡码。",
        en="The code is not that of this point; scan the one that is there.",
    ),
    "trail_paused": Text(
        zh="当时打卡线路因天气等原因暂停；恢复开放后再来打卡。",
        en="The trail was paused then, for the weather say; come again once it is resumed.",
    ),
    "trail_closed": Text(
        zh="当时打卡线路已经关闭；请选择其他线路。",
        en="The trail was closed for good by then; choose another.",
    ),
    "outside_period": Text(
        zh="不在打卡线路的开放日期内；请查看线路的起止日期。",
        en="It was not within the days of the trail; look up when it begins and ends.",
    ),
    "already_checked_in": Text(
        zh="当天您已在此打卡点打过卡，每点每天只奖励一次。",
        en="You were rewarded for this point that day already; it is paid once a day.",
    ),
    "too_soon": Text(
        zh="与另一打卡点的打卡时间相隔太短；请走到现场后再打卡。",
        en="It was too soon before or after another point; check in again once you are there.",
    ),
    "wrong_order": Text(
        zh="这条线路须按顺序打卡，按打卡时间此点与您的其他打卡不合顺序；请由此按顺序继续走。",
        en="This trail is walked in its order, which by its time this check-in does not keep "
        "with your others; walk on in the order from here.",
    ),
}
