"""Trails (打卡线路): points by the water to check in at, and who opens, pauses and closes them."""
