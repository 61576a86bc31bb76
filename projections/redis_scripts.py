"""What happens to a view in Redis in one piece, in Lua: a server runs one script at a time."""

from __future__ import annotations

# Absolute values behind a guard: repeating a batch, or one of another past, changes nothing.
# Sorted sets come as KEYS[5...]; ARGV[5...] is a list of commands of five words each. The members
# of each set are counted, and the sets in the head: what is lost later does not go unnoticed.
WRITE = """
local head = redis.call('HMGET', KEYS[1], 'position', 'digest')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then return 0 end
local state = redis.call('HGET', KEYS[4], ARGV[3])
if state ~= 'live' and state ~= 'building' then return 0 end
local sets = tonumber(redis.call('HGET', KEYS[1], 'sets') or 0)
if redis.call('HLEN', KEYS[3]) ~= sets then return 0 end
local given = cjson.decode(ARGV[4])
for i = 5, #ARGV, 5 do
    local op, key = ARGV[i], ARGV[i + 1]
    if op == 'row' then redis.call('HSET', KEYS[2], key, ARGV[i + 2])
    elseif op == 'gone' then redis.call('HDEL', KEYS[2], key)
    elseif op == 'in' then
        local more = redis.call('ZADD', KEYS[tonumber(ARGV[i + 2])], 0, ARGV[i + 3])
        redis.call('HINCRBY', KEYS[3], ARGV[i + 4], more)
    else
        local fewer = redis.call('ZREM', KEYS[tonumber(ARGV[i + 2])], ARGV[i + 3])
        redis.call('HINCRBY', KEYS[3], ARGV[i + 4], 0 - fewer)
    end
end
redis.call('HSET', KEYS[1], 'sets', redis.call('HLEN', KEYS[3]))
for field, value in pairs(given) do redis.call('HSET', KEYS[1], field, value) end
return 1
"""
SWAP = """
if ARGV[2] ~= '' then
    if redis.call('HGET', KEYS[1], ARGV[2]) ~= 'live' then return 0 end
    if redis.call('HGET', KEYS[3], 'position') ~= ARGV[3] then return 0 end
end
if redis.call('HGET', KEYS[1], ARGV[1]) ~= 'building' then return 0 end
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
for _, generation in ipairs(redis.call('HKEYS', KEYS[1])) do
    redis.call('HSET', KEYS[1], generation, 'old')
end
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], ARGV[2], 'retired') end
redis.call('HSET', KEYS[1], ARGV[1], 'live')
return 1
"""
BEGIN = """
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
    if all[i + 1] ~= 'live' then redis.call('HSET', KEYS[1], all[i], 'old') end
end
redis.call('HSET', KEYS[1], ARGV[1], 'building')
redis.call('HSET', KEYS[2], unpack(ARGV, 2))
return 1
"""
FETCH = """
if redis.call('HGET', KEYS[3], ARGV[2]) ~= 'live' then return {} end
return {redis.call('HGET', KEYS[1], 'position'), redis.call('HGET', KEYS[2], ARGV[1])}
"""
# KEYS: head, rows, sorted set, generations, counts. ARGV: place, generation, bucket, and more.
# A reader that finds a set short marks the head, so that the follower builds the view anew.
LISTED = """
local position = redis.call('HGET', KEYS[1], 'position')
if redis.call('HGET', KEYS[4], ARGV[2]) ~= 'live' or not position then return {} end
local counted = tonumber(redis.call('HGET', KEYS[5], ARGV[3]) or 0)
local sets = tonumber(redis.call('HGET', KEYS[1], 'sets') or 0)
if redis.call('ZCARD', KEYS[3]) ~= counted or redis.call('HLEN', KEYS[5]) ~= sets then
    redis.call('HSET', KEYS[1], 'hollow', 1)
    return {}
end
"""
RANK = LISTED + """
return {position, redis.call('ZLEXCOUNT', KEYS[3], '-', '(' .. ARGV[1])}
"""
PAGE = LISTED + """
local way = ARGV[5] == 'back' and 'ZREVRANGEBYLEX' or 'ZRANGEBYLEX'
local stop = ARGV[5] == 'back' and '-' or '+'
local members = redis.call(way, KEYS[3], '(' .. ARGV[1], stop, 'LIMIT', 0, ARGV[4])
local found = {position}
for _, member in ipairs(members) do
    local key = string.sub(member, string.find(member, '\\0', 1, true) + 1)
    found[#found + 1] = key
    found[#found + 1] = redis.call('HGET', KEYS[2], key)
end
return found
"""
