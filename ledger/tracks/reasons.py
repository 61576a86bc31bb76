"""Every reason for which a patrol is not simply valid, as its walker should read it."""

from __future__ import annotations

from ledger.facts import Text

REASONS: dict[str, Text] = {
    "no_times": Text(
        zh="轨迹没有时间记录，无法核对巡河时长。请打开手机定位和轨迹记录后重新巡河。",
        en="The track has no times, so its duration cannot be checked. "
        "Record the next patrol with the phone's location switched on.",
    ),
    "clock_off": Text(
        zh="手机时钟明显不准，无法核对巡河时长。请将手机设为自动对时后再巡河。",
        en="The phone's clock was far off, so the duration cannot be checked. "
        "Set it to automatic time before the next patrol.",
    ),
    "identical_times": Text(
        zh="许多定位点的时间完全相同，无法核对巡河时长。请更新手机系统或换一部手机记录。",
        en="Many fixes carry the very same time, so the duration cannot be checked. "
        "Update the phone or record with another one.",
    ),
    "replayed_track": Text(
        zh="这条轨迹与以前提交过的轨迹相同。同一段轨迹只奖励一次，每次巡河请重新记录。",
        en="This track is the same as one sent in before. A track is rewarded once; "
        "record each patrol afresh.",
    ),
    "too_fast": Text(
        zh="大部分路程的速度超过步行，像是乘车或骑行。巡河请步行。",
        en="Most of the way was faster than walking, as in a vehicle or on a bicycle. "
        "Please walk the river.",
    ),
    "fast_part": Text(
        zh="途中有较长一段像是乘车。请只记录步行的部分。",
        en="A longer part of the way looks like a ride. Record only the part you walk.",
    ),
    "not_near_river": Text(
        zh="轨迹大部分不在河边。请沿河岸行走，或检查所选河段和坐标系是否正确。",
        en="Most of the track is not by the river. Walk along the bank, "
        "or check the chosen reach and the coordinate system.",
    ),
    "stationary": Text(
        zh="定位点一直在同一处附近，没有沿河行走。请沿河巡查后再提交。",
        en="The fixes stay around one spot. Walk along the river before sending a patrol.",
    ),
    "too_short": Text(
        zh="步行路程不足。请走满规定的距离后再结束巡河。",
        en="The distance walked is too short. Walk the required distance before you finish.",
    ),
    "too_brief": Text(
        zh="巡河时间不足。请巡满规定的时间后再结束。",
        en="The patrol was too brief. Keep on for the required time before you finish.",
    ),
    "low_coverage": Text(
        zh="走过的河段太少。请多走一些所选河段，或改选较短的河段。",
        en="Too little of the reach was seen. Walk more of it, or choose a shorter reach.",
    ),
    "poor_signal": Text(
        zh="多数定位点精度太差，未能采用。请在开阔处等定位稳定后再开始。",
        en="Most fixes were too inaccurate to be used. "
        "Wait under the open sky for a good position before you start.",
    ),
    "similar_track": Text(
        zh="这条轨迹与以前的一条几乎重合，需要人工复核。您无需操作，请等待结果。",
        en="This track is almost one sent in before, so a person will look at it. "
        "You need do nothing but wait for the outcome.",
    ),
    "too_few_fixes": Text(
        zh="可用的定位点太少，需要人工复核。请在记录时保持定位开启，不要锁定省电模式。",
        en="There are too few usable fixes, so a person will look at it. "
        "Keep the location on while recording, and battery saving off.",
    ),
    "mocked_location": Text(
        zh="手机报告使用了模拟定位，需要人工复核。请关闭模拟定位应用。",
        en="The phone reports simulated locations, so a person will look at it. "
        "Switch such apps off.",
    ),
    "too_perfect": Text(
        zh="轨迹过于规整，不像真实定位，需要人工复核。您无需操作，请等待结果。",
        en="The track is more even than real positions are, so a person will look at it. "
        "You need do nothing but wait for the outcome.",
    ),
    "jumps": Text(
        zh="轨迹多次瞬间跳到远处，需要人工复核。请关闭省电模式并保持定位开启。",
        en="The track leaps to distant places several times, so a person will look at it. "
        "Switch battery saving off and keep the location on.",
    ),
}
