import { RedisScript } from '../redis-script.js';
import { LAYOUT_LUA, SLIDING_LUA } from './counter-lua.js';
import { SIMPLE_LUA } from './simple-lua.js';

/**
 * Decides about any number of requests ("groups") in one step, each all or nothing, at the time of the server.
 *
 * KEYS: the counter of each charge, group by group. ARGV: the time in microseconds, empty for the server's own; the rules of all limits,
 * `<kind><limit>,<window>,<burst or bits>,<1 for a dry run>;` with kinds `s`liding window, `b`ucket and `f`ixed window; 1 if a counter is asked for more than once; then a text for each group:
 * - charges `<number of the rule>,<cost>;`, after a `!` if nothing shall be charged, whatever fits;
 * - or a lease `l<number of the rule>,<least>,<needed>,<wanted>,<ttl>,<nodes>`: as much as is needed now, at least what one caller needs, and of the
 *   rest what is wanted for the whole `ttl`, but no more than a node's share of half the room, so that it ends exact by itself.
 *
 * Answers the hit, then for each charge the units left and the milliseconds until they come back, negative if the charge did not fit; for a lease the
 * units granted, those left, the milliseconds until they come back, the end of the lease, and how far ahead that is.
 */
export const DECIDE = new RedisScript(`${LAYOUT_LUA}
-- Whether a counter may be asked for twice: then it is read and written once.
local shared = ARGV[3] == '1'
local explicit, now, hit = ARGV[1] ~= '', 0, 0
if explicit then
  now, hit = floor(ARGV[1] / 1000), ceil(ARGV[1] / 1000)
else
  local time = call('TIME')
  now, hit = time[1] * 1000 + floor(time[2] / 1000), time[1] * 1000 + ceil(time[2] / 1000)
end
-- Times that a test makes up have nothing to do with those at which keys expire.
local function set(key, value, rest)
  call('SET', key, value, 'PX', string.format('%d', explicit and rest + 3600000 or rest))
end
${SLIDING_LUA}${SIMPLE_LUA}
local rules, counters, groups, found = {}, {}, {}, {}
local answer, size, asked = {hit}, 1, 0

for kind, limit, window, most, dry in string.gmatch(ARGV[2], '(%l)(%d+),(%d+),(%d+),(%d)') do
  limit, window, most = tonumber(limit), tonumber(window), tonumber(most)
  local rule = {kind = kind, limit = limit, window = window, dry = dry == '1', most = limit}
  if kind == 's' then
    local turn_ms = ceil(window / 6)
    local turn = floor(hit / turn_ms)
    rule.turn_ms, rule.turn, rule.slot, rule.begins, rule.in_turn = turn_ms, turn, turn % 7 + 1, turn * turn_ms, hit - turn * turn_ms
    rule.grain = grain_of(turn_ms, most)
  elseif kind == 'b' then
    rule.most, rule.unit = most, window / limit
  end
  rules[#rules + 1] = rule
end

-- All values at once: a call costs more than what it reads.
local values = call('MGET', unpack(KEYS))

local function next_counter(rule)
  asked = asked + 1
  local key = KEYS[asked]
  local c = shared and counters[key]
  if c then return c end
  local kind, value = rule.kind, values[asked]
  if kind == 's' then c = load_sliding(rule, value)
  elseif kind == 'f' then c = load_fixed(rule, value)
  else c = load_bucket(rule, value) end
  if shared then counters[key] = c end
  return c
end

-- A counter is gone when nothing in it counts any more.
local function save(key, c)
  if not c[CHANGED] then return end
  local kind = c[RULE].kind
  if kind == 's' then save_sliding(key, c)
  elseif kind == 'f' then save_fixed(key, c)
  else save_bucket(key, c) end
end

local function used_of(c, rule)
  return rule.kind == 'b' and used_of_bucket(c, rule) or c[USED]
end

local function add(c, rule, cost)
  if cost == 0 then return end
  if rule.kind == 's' then add_sliding(c, rule, cost, rule.in_turn)
  elseif rule.kind == 'f' then add_fixed(c, cost)
  else add_bucket(c, rule, cost) end
end

local function reset_of(c, rule)
  if rule.kind == 's' then return reset_sliding(c) end
  return rule.kind == 'f' and reset_fixed(c) or rule.kind == 'b' and reset_bucket(c, rule)
end

-- Until a charge that does not fit would.
local function wait_of(c, rule, cost)
  if cost > rule.most then return rule.window end
  if rule.kind == 's' then return wait_sliding(c, c[USED] + cost - rule.limit, rule.window + c[GRAIN].step - 1) end
  return rule.kind == 'f' and reset_fixed(c) or rule.kind == 'b' and wait_bucket(c, rule, cost)
end

-- Enforced charges of one counter have to fit together; a look, and a dry run, stands for itself.
local function needs_of(c, rule, cost)
  return (cost == 0 or rule.dry) and cost or c[TAKEN]
end

-- Groups mostly say the same, and are read once.
local function read_group(text)
  local held = string.byte(text) == 33
  local group, n = {held = held, plain = not held}, 0
  for number, cost in string.gmatch(text, '(%d+),(%d+)') do
    local rule = rules[tonumber(number)]
    group[n + 1], group[n + 2], n = rule, tonumber(cost), n + 2
    if rule.kind ~= 's' or rule.dry or cost == '0' then group.plain = false end
  end
  group.size = n
  groups[text] = group
  return group
end

local function tell(remaining, reset)
  answer[size + 1], answer[size + 2], size = remaining, reset, size + 2
end

local function decide(group)
  local n, allowed, plain, before = group.size, not group.held, group.plain, asked
  for i = 1, n, 2 do
    local rule, cost, c = group[i], group[i + 1], next_counter(group[i])
    found[i] = c
    if plain and (c[TAKEN] > 0 or c[USED] + cost > rule.most) then plain = false end
    if not rule.dry then c[TAKEN] = c[TAKEN] + cost end
  end
  if plain then
    -- Sliding windows with room for all: what nearly every check comes to.
    for i = 1, n, 2 do
      local c, rule = found[i], group[i]
      c[TAKEN] = 0
      add_sliding(c, rule, group[i + 1], rule.in_turn)
      answer[size + 1], answer[size + 2], size = rule.most - c[USED], reset_sliding(c), size + 2
      if not shared then save_sliding(KEYS[before + (i + 1) / 2], c) end
    end
    return
  end
  for i = 1, n, 2 do
    local c, rule = found[i], group[i]
    if not allowed then break end
    allowed = rule.dry or used_of(c, rule) + needs_of(c, rule, group[i + 1]) <= rule.most
  end
  if allowed then
    for i = 1, n, 2 do
      if not group[i].dry then add(found[i], group[i], group[i + 1]) end
    end
  end
  for i = 1, n, 2 do
    local c, rule, cost = found[i], group[i], group[i + 1]
    local passes = allowed and not rule.dry
    if not passes then
      passes = used_of(c, rule) + needs_of(c, rule, cost) <= rule.most
      if passes and allowed then add(c, rule, cost) end
    end
    tell(max(0, rule.most - used_of(c, rule)), passes and reset_of(c, rule) or -wait_of(c, rule, needs_of(c, rule, cost)))
  end
  for i = 1, n, 2 do
    found[i][TAKEN] = 0
    if not shared then save(KEYS[before + (i + 1) / 2], found[i]) end
  end
end

local function tell_lease(granted, remaining, reset, ends, rest)
  answer[size + 1], size = granted, size + 1
  tell(remaining, reset)
  tell(ends, rest)
end

-- The units of a lease count from before they are given until a window after the last of them can have been used: they come back later than a window
-- from now, and nothing else is told.
local function lease(text)
  local number, least, needed, wanted, ttl, nodes = string.match(text, '(%d+),(%d+),(%d+),(%d+),(%d+),(%d+)')
  local rule = rules[tonumber(number)]
  local c = next_counter(rule)
  least = tonumber(least)
  local room = max(0, rule.limit - c[USED])
  if room < least then
    local wait = least > rule.limit and rule.window or wait_sliding(c, c[USED] + least - rule.limit, 1e13)
    tell_lease(0, room, wait, hit, 0)
  else
    local ends = min(hit + ttl, rule.begins + rule.turn_ms - 1)
    local share = min(ceil(wanted * (ends - hit) / ttl), floor(room / (2 * nodes)))
    local granted = min(room, max(tonumber(needed), share))
    add_sliding(c, rule, granted, ends - rule.begins)
    tell_lease(granted, room - granted, c[REST], ends, ends - hit)
  end
  if not shared then save(KEYS[asked], c) end
end

for i = 4, #ARGV do
  local text = ARGV[i]
  if string.byte(text) == 108 then lease(text) else decide(groups[text] or read_group(text)) end
end

for key, c in pairs(counters) do save(key, c) end
return answer
`);
