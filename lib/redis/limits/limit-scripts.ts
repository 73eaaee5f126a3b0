import { RedisScript } from '../redis-script.js';
import { CHARGE_LUA, COUNTER_LUA } from './counter-lua.js';

/**
 * Decides about any number of requests ("groups") in one step, each all or nothing, at the time of the server.
 *
 * KEYS: the counter of each charge, group by group. ARGV: the time in microseconds, empty for the server's own; then a text for each group:
 * - charges `<kind><limit>,<window>,<burst or bits>,<cost>,<1 for a dry run>;` – kinds are `s`liding window, `b`ucket, `f`ixed window –
 *   after a `!` if nothing shall be charged, whatever fits;
 * - or a lease `l<limit>,<window>,<bits>,<least>,<needed>,<wanted>,<ttl>,<nodes>`: as much as is needed now, at least what one caller needs, and of the
 *   rest what is wanted for the whole `ttl`, but no more than a node's share of half the room, so that it ends exact by itself.
 *
 * Answers the hit, then for each charge the units left and the milliseconds until they come back, negative if the charge did not fit; for a lease the
 * units granted, those left, the milliseconds until they come back, the end of the lease, and how far ahead that is.
 */
export const DECIDE = new RedisScript(`${COUNTER_LUA}
local explicit, now, hit = ARGV[1] ~= '', 0, 0
if explicit then
  now, hit = floor(ARGV[1] / 1000), ceil(ARGV[1] / 1000)
else
  local time = redis.call('TIME')
  now, hit = time[1] * 1000 + floor(time[2] / 1000), time[1] * 1000 + ceil(time[2] / 1000)
end
${CHARGE_LUA}
local counters, answer, asked = {}, {hit}, 0

local function next_counter(kind, window)
  asked = asked + 1
  local key = KEYS[asked]
  local c = counters[key]
  if not c then
    c = load(key, kind, window)
    counters[key] = c
  end
  return c
end

-- Enforced charges of one counter have to fit together; a look, and a dry run, stands for itself.
local function fits(charge)
  charge.needs = (charge.cost == 0 or charge.dry) and charge.cost or charge.c.taken
  return used_of(charge.c, charge) + charge.needs <= charge.most
end

local function tell(charge, passes)
  answer[#answer + 1] = max(0, charge.most - used_of(charge.c, charge))
  answer[#answer + 1] = passes and reset_of(charge.c, charge) or -wait_of(charge.c, charge, charge.needs)
end

local function decide(group)
  local charges, n = {}, 0
  for kind, limit, window, size, cost, dry in string.gmatch(group, '(%l)(%d+),(%d+),(%d+),(%d+),(%d)') do
    local c = next_counter(kind, tonumber(window))
    local charge = {c = c, limit = tonumber(limit), size = tonumber(size), cost = tonumber(cost), dry = dry == '1'}
    charge.most = kind == 'b' and charge.size or charge.limit
    if not charge.dry then c.taken = c.taken + charge.cost end
    n = n + 1
    charges[n] = charge
  end
  local allowed = string.byte(group) ~= 33
  for i = 1, n do
    if not allowed then break end
    allowed = charges[i].dry or fits(charges[i])
  end
  if allowed then
    for i = 1, n do
      if not charges[i].dry then add(charges[i].c, charges[i]) end
    end
  end
  for i = 1, n do
    local charge = charges[i]
    local passes = allowed and not charge.dry or fits(charge)
    if allowed and charge.dry and passes then add(charge.c, charge) end
    tell(charge, passes)
  end
  for i = 1, n do charges[i].c.taken = 0 end
end

-- The units of a lease count from before they are given until a window after the last of them can have been used.
local function lease(group)
  local limit, window, bits, least, needed, wanted, ttl, nodes =
    string.match(group, '(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+),(%d+)')
  limit, least, needed = tonumber(limit), tonumber(least), tonumber(needed)
  local c = next_counter('s', tonumber(window))
  local charge = {limit = limit, most = limit}
  local room = max(0, limit - c.used)
  if room < least then
    local wait = wait_of(c, charge, least)
    for _, part in ipairs({0, room, wait, hit, 0}) do answer[#answer + 1] = part end
    return
  end
  local ends = min(hit + ttl, (c.turn + 1) * c.turn_ms - 1)
  local share = min(ceil(wanted * (ends - hit) / ttl), floor(room / (2 * nodes)))
  local granted = min(room, max(needed, share))
  add_sliding(c, tonumber(bits), granted, ends)
  c.changed = true
  for _, part in ipairs({granted, room - granted, reset_of(c, charge), ends, ends - hit}) do
    answer[#answer + 1] = part
  end
end

for i = 2, #ARGV do
  if string.byte(ARGV[i]) == 108 then lease(ARGV[i]) else decide(ARGV[i]) end
end
for key, c in pairs(counters) do
  if c.changed then save(key, c) end
end
return answer
`);

/** Gives units back. ARGV for each key: `<kind><limit>,<window>,<cost>,<hit>`. */
export const REFUND = new RedisScript(`${COUNTER_LUA}
local function refunded(value, kind, limit, window, cost, at)
  if kind == 's' and #value == SLIDING_BYTES then
    local c = {turn_ms = ceil(window / 6), counts = {}, steps = {}}
    read_sliding(c, value)
    local turn = floor(at / c.turn_ms)
    if turn > c.newest or turn < c.newest - 6 then return value end
    local i, left = turn % 7 + 1, 0
    c.counts[i] = max(0, c.counts[i] - cost)
    for j = 1, 7 do left = left + c.counts[j] end
    return left > 0 and pack_sliding(c) or nil
  elseif kind == 'f' and #value == FIXED_BYTES then
    local start, count = struct.unpack(FIXED, value)
    if at < start or at >= start + window then return value end
    return count > cost and struct.pack(FIXED, start, count - cost) or nil
  elseif kind == 'b' and #value == BUCKET_BYTES then
    local level, seen = struct.unpack(BUCKET, value)
    level = level - cost * window / limit
    return level > 0 and struct.pack(BUCKET, level, seen) or nil
  end
end
for i, key in ipairs(KEYS) do
  local value = redis.call('GET', key)
  if value then
    local kind, limit, window, cost, at = string.match(ARGV[i], '(%l)(%d+),(%d+),(%d+),(%d+)')
    local rest = refunded(value, kind, tonumber(limit), tonumber(window), tonumber(cost), tonumber(at))
    if rest then redis.call('SET', key, rest, 'KEEPTTL') else redis.call('DEL', key) end
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
