import { RedisScript } from '../redis-script.js';
import { CLOCK_LUA } from './clock-lua.js';
import { LAYOUT_LUA, SLIDING_LUA } from './counter-lua.js';
import { LEASE_LUA } from './lease-lua.js';
import { PLAIN_LUA } from './plain-lua.js';
import { SIMPLE_LUA } from './simple-lua.js';

/**
 * Decides about any number of requests ("groups") in one step, each all or nothing, at the time of the server.
 *
 * KEYS: what is known of the clock; the counter of each charge, group by group. ARGV: the time in microseconds, empty for the server's own; the rules of all limits,
 * `<kind><limit>,<window>,<burst or bits>,<1 for a dry run>;` with kinds `s`liding window, `b`ucket and `f`ixed window; 1 if a counter is asked for more than once;
 * for how many milliseconds longer than they count counters are kept; the least and the most that the time can be, and the change of the clock that this is after; then a text for each group:
 * - charges `<number of the rule>,<cost>;`, after a `!` if nothing shall be charged, whatever fits;
 * - or a lease `l<number of the rule>,<least>,<needed>,<wanted>,<ttl>,<nodes>`: as much as is needed now, at least what one caller needs, and of the
 *   rest what is wanted for the whole `ttl`, but no more than a node's share of half the room, so that it ends exact by itself.
 *
 * Answers the hit, the changes of the clock and how many counters were made, then for each charge the units left and the milliseconds until they come back, negative if the charge did not fit; for a lease the
 * units granted, those left, the milliseconds until they come back, the end of the lease, and how far ahead that is.
 */
export const DECIDE = new RedisScript(`${LAYOUT_LUA}${CLOCK_LUA}
-- Whether a counter may be asked for twice: then it is read and written once.
local shared = ARGV[3] == '1'
-- All values at once: a call costs more than what it reads.
local keys = KEYS
local values = call('MGET', unpack(keys))
local now, hit, changes
if ARGV[1] ~= '' then
  now, hit, changes = floor(ARGV[1] / 1000), ceil(ARGV[1] / 1000), 0
else
  now, hit, changes = time_of(keys[1], values[1], ARGV[5], ARGV[6], ARGV[7])
end
local keep = tonumber(ARGV[4])
local function expiry_of(rest)
  return string.format('%d', rest + keep)
end
local function set(key, value, rest)
  call('SET', key, value, 'PX', expiry_of(rest))
end
${SLIDING_LUA}${SIMPLE_LUA}
local rules, counters, groups, found = {}, {}, {}, {}
local answer, size, asked, made = {hit, changes, 0}, 3, 1, 0

for kind, limit, window, most, dry in string.gmatch(ARGV[2], '(%l)(%d+),(%d+),(%d+),(%d)') do
  limit, window, most = tonumber(limit), tonumber(window), tonumber(most)
  local rule = {kind = kind, limit = limit, window = window, dry = dry == '1', most = limit}
  if kind == 's' then
    local turn_ms = ceil(window / 6)
    local turn = floor(hit / turn_ms)
    local begins, grain = turn * turn_ms, grain_of(turn_ms, most)
    rule.turn_ms, rule.turn, rule.begins, rule.in_turn, rule.grain = turn_ms, turn, begins, hit - begins, grain
    rule.head, rule.since, rule.unit = turn * 32 + most, now - begins + 1, grain.unit
    local steps = ceil(rule.in_turn / grain.step)
    -- The least word that has this time, how long its units count, and the longest that anybody is told to wait.
    rule.word, rule.rest, rule.longest = steps * grain.unit, begins + min(steps * grain.step, turn_ms) + window - now, window + grain.step - 1
  elseif kind == 'b' then
    rule.most, rule.unit = most, window / limit
  end
  rules[#rules + 1] = rule
end

local function next_counter(rule, loaded)
  asked = asked + 1
  local key = keys[asked]
  local c = loaded or shared and counters[key]
  if c then return c end
  local kind, value = rule.kind, values[asked]
  if not value then made = made + 1 end
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
  local group, n = {held = held, plain = not held, rules = {}, costs = {}}, 0
  for number, cost in string.gmatch(text, '(%d+),(%d+)') do
    local rule = rules[tonumber(number)]
    group[n + 1], group[n + 2], n = rule, tonumber(cost), n + 2
    group.rules[n / 2], group.costs[n / 2] = rule, group[n]
    if rule.kind ~= 's' or rule.dry or cost == '0' then group.plain = false end
  end
  group.size, group.charges = n, n / 2
  groups[text] = group
  return group
end

local function tell(remaining, reset)
  answer[size + 1], answer[size + 2], size = remaining, reset, size + 2
end

${PLAIN_LUA}
local function decide(group)
  local loaded = 0
  if group.plain and not shared then
    loaded = decide_plain(group)
    if not loaded then return end
  end
  local n, allowed, plain, before = group.size, not group.held, group.plain, asked
  for i = 1, n, 2 do
    local rule, cost = group[i], group[i + 1]
    local c = next_counter(rule, i < 2 * loaded and read[(i + 1) / 2])
    found[i] = c
    if plain and (c[TAKEN] > 0 or c[USED] + cost > rule.most) then plain = false end
    if not rule.dry then c[TAKEN] = c[TAKEN] + cost end
  end
  if plain then
    -- Of counters that are asked for twice, which are written at the end.
    for i = 1, n, 2 do
      local c, rule = found[i], group[i]
      c[TAKEN] = 0
      add_sliding(c, rule, group[i + 1], rule.in_turn)
      answer[size + 1], answer[size + 2], size = rule.most - c[USED], reset_sliding(c), size + 2
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
    if not shared then save(keys[before + (i + 1) / 2], found[i]) end
  end
end

${LEASE_LUA}
for i = 8, #ARGV do
  local text = ARGV[i]
  if string.byte(text) == 108 then lease(text) else decide(groups[text] or read_group(text)) end
end

for key, c in pairs(counters) do save(key, c) end
answer[3] = made
return answer
`);
