import { RedisScript } from '../redis-script.js';
import { LAYOUT_LUA } from './counter-lua.js';

/** Gives units back. ARGV for each key: `<kind><limit>,<window>,<cost>,<hit>`. */
export const REFUND = new RedisScript(`${LAYOUT_LUA}
local function refunded(value, kind, limit, window, cost, at)
  if kind == 's' and #value == SLIDING_BYTES then
    local newest, bits, a, b, d, e, f, g, h = unpack_value(SLIDING, value)
    local words, unit, left = {a, b, d, e, f, g, h}, 2 ^ bits, 0
    local turn = floor(at / ceil(window / 6))
    if turn > newest or turn < newest - 6 then return value end
    local i = turn % 7 + 1
    words[i] = words[i] - min(cost, words[i] % unit)
    for j = 1, 7 do left = left + words[j] % unit end
    return left > 0 and pack(SLIDING, newest, bits, unpack(words)) or nil
  elseif kind == 'f' and #value == FIXED_BYTES then
    local start, count = unpack_value(FIXED, value)
    if at < start or at >= start + window then return value end
    return count > cost and pack(FIXED, start, count - cost) or nil
  elseif kind == 'b' and #value == BUCKET_BYTES then
    local level, seen = unpack_value(BUCKET, value)
    level = level - cost * window / limit
    return level > 0 and pack(BUCKET, level, seen) or nil
  end
end
for i, key in ipairs(KEYS) do
  local value = call('GET', key)
  if value then
    local kind, limit, window, cost, at = string.match(ARGV[i], '(%l)(%d+),(%d+),(%d+),(%d+)')
    local rest = refunded(value, kind, tonumber(limit), tonumber(window), tonumber(cost), tonumber(at))
    if rest then call('SET', key, rest, 'KEEPTTL') else call('DEL', key) end
  end
end
return 0
`);

/** Forgets a counter. */
export const FORGET = new RedisScript("return redis.call('DEL', KEYS[1])");

/**
 * Says that a node is there, or no longer (lifetime 0), and answers how many there are. ARGV: its id, and for how many milliseconds it counts without
 * saying so again. What a clock that has stepped back has left in the future goes too.
 */
export const ANNOUNCE = new RedisScript(`
local time, lifetime = redis.call('TIME'), tonumber(ARGV[2])
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if lifetime == 0 then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], now, ARGV[1])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. string.format('%.0f', now - lifetime))
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now + lifetime), '+inf')
  redis.call('PEXPIRE', KEYS[1], lifetime)
end
return redis.call('ZCARD', KEYS[1])
`);
