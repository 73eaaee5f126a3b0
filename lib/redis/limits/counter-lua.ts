/**
 * How counters are kept, in Lua. All arithmetic is that of the counters in memory, so that a limit means the same wherever it is counted; a test plays
 * one history to both.
 *
 * A sliding window is its newest turn and the bits of a count in one number, and a word for each of seven turns, the newest first: a count, and above it
 * the time of the last hit in steps. Beside them it keeps what the next check of the same turn needs to read and write no word but the newest: the units
 * of the others that count (more than any limit if nobody knows), until when the oldest of them does, and from which millisecond of the turn on this
 * holds. A token bucket is the milliseconds until it has run empty, and when that was; a fixed window its start and its count. A value of any other
 * length is nobody's, and stands for none.
 */
export const LAYOUT_LUA = `
local call = redis.call
local floor, ceil, min, max = math.floor, math.ceil, math.min, math.max
local pack, unpack_value = struct.pack, struct.unpack
-- Turn and bits; first millisecond, units of others, end of the oldest; words. In a turn nothing changes but the newest word, and what is known of others.
local SLIDING, SLIDING_BYTES = '<dI4I4dI4I4I4I4I4I4I4', 52
local KNOWN, UNKNOWN = '<dI4I4dI4', 4294967295
-- Numbers become texts slowly.
local OTHERS, OTHERS_AT, WORD, WORD_AT = '<I4I4dI4', '8', '<I4', '24'
local BUCKET, BUCKET_BYTES = '<dd', 16
local FIXED, FIXED_BYTES = '<dI4', 12
-- A counter that has been read is a list, which is made faster than a record: the words of a sliding window; its rule, units that count, units that a
-- group takes, whether it has changed; then what its kind needs.
local RULE, USED, TAKEN, CHANGED = 8, 9, 10, 11
local GRAIN, NEWEST, OLDEST, REST, SINCE = 12, 13, 14, 15, 16
local START, LEVEL = 12, 12
`;

/**
 * A sliding window; after {@link LAYOUT_LUA}, with `now`, `hit` and `set` made. Word i is that of turn NEWEST - i + 1; OLDEST is the place of the oldest
 * word that counts.
 */
export const SLIDING_LUA = `
local grains = {}

-- How a word is read whose counts take so many bits.
local function grain_of(turn_ms, bits)
  local name = turn_ms * 32 + bits
  local grain = grains[name]
  if not grain then
    grain = {bits = bits, unit = 2 ^ bits, step = ceil(turn_ms / (2 ^ (32 - bits) - 1))}
    grains[name] = grain
  end
  return grain
end

-- How long the newest word of this turn counts.
local function rest_of_word(rule, word)
  return rule.begins + min(floor(word / rule.unit) * rule.grain.step, rule.turn_ms) + rule.window - now
end

local function rest_of(c, i)
  local rule, grain = c[RULE], c[GRAIN]
  return (c[NEWEST] - i + 1) * rule.turn_ms + min(floor(c[i] / grain.unit) * grain.step, rule.turn_ms) + rule.window - now
end

-- Units that count, the oldest word that has any, and until when it does; from it on the times of turns follow each other.
local function count_sliding(c)
  local rule, unit, used, oldest, since = c[RULE], c[GRAIN].unit, 0, false, 0
  for i = 7 - max(0, rule.turn - c[NEWEST]), 1, -1 do
    local count = c[i] % unit
    if count > 0 then
      if oldest then
        used = used + count
      else
        local rest = rest_of(c, i)
        if rest > 0 then used, oldest, c[REST] = count, i, rest
        else since = max(since, now + rest - rule.begins + 1) end
      end
    end
  end
  c[USED], c[OLDEST], c[SINCE] = used, oldest, since
end

-- The server's wall clock may have stepped back: nobody is locked out longer than a window.
local function settle_sliding(c)
  local rule, unit = c[RULE], c[GRAIN].unit
  local steps = min(floor(c[1] / unit), ceil(rule.in_turn / c[GRAIN].step))
  c[1], c[NEWEST], c[CHANGED] = steps * unit + c[1] % unit, rule.turn, 'all'
end

local function load_sliding(rule, value)
  if not value or #value ~= SLIDING_BYTES then
    return {0, 0, 0, 0, 0, 0, 0, rule, 0, 0, false, rule.grain, 0, false, 0, 0}
  end
  local head, _, _, _, a, b, d, e, f, g, h = unpack_value(SLIDING, value)
  local bits, newest = head % 32, floor(head / 32)
  local grain = bits == rule.grain.bits and rule.grain or grain_of(rule.turn_ms, bits)
  local c = {a, b, d, e, f, g, h, rule, 0, 0, false, grain, newest, false, 0, 0}
  if newest > rule.turn then settle_sliding(c) end
  count_sliding(c)
  return c
end

-- Until the next units come back.
local function reset_sliding(c)
  return c[USED] == 0 and 0 or min(c[REST], c[RULE].window + c[GRAIN].step - 1)
end

local function wait_sliding(c, missing, most)
  for i = c[OLDEST], 1, -1 do
    missing = missing - c[i] % c[GRAIN].unit
    if missing <= 0 then return min(rest_of(c, i), most) end
  end
  return c[RULE].window
end

local function widen(c, wide)
  local grain = c[GRAIN]
  for i = 1, 7 do
    local word = c[i]
    c[i] = ceil(floor(word / grain.unit) * grain.step / wide.step) * wide.unit + word % grain.unit
  end
  c[GRAIN], c[CHANGED] = wide, 'all'
  count_sliding(c)
end

local function enter_turn(c, rule)
  local passed = rule.turn - c[NEWEST]
  if c[USED] == 0 then
    for i = 1, 7 do c[i] = 0 end
    c[OLDEST], c[GRAIN], c[SINCE] = 1, rule.grain, 0
  else
    if c[GRAIN].bits < rule.grain.bits then widen(c, rule.grain) end
    if passed == 1 then
      c[1], c[2], c[3], c[4], c[5], c[6], c[7] = 0, c[1], c[2], c[3], c[4], c[5], c[6]
      c[OLDEST] = c[OLDEST] + 1
    elseif passed > 1 then
      for i = 7, 1, -1 do c[i] = c[i - passed] or 0 end
      c[OLDEST] = c[OLDEST] + passed
    end
  end
  c[NEWEST], c[CHANGED] = rule.turn, 'all'
end

-- 'in_turn' is the hit, or the end of a lease, in milliseconds of the turn.
local function add_sliding(c, rule, cost, in_turn)
  if c[NEWEST] ~= rule.turn or c[USED] == 0 or c[GRAIN] ~= rule.grain then enter_turn(c, rule) end
  local grain, word = c[GRAIN], c[1]
  local unit = grain.unit
  local count = word % unit
  local steps, hit_steps = (word - count) / unit, ceil(in_turn / grain.step)
  if hit_steps > steps then steps = hit_steps end
  c[1], c[USED] = steps * unit + count + cost, c[USED] + cost
  if c[OLDEST] == 1 then c[REST] = rule.begins + min(steps * grain.step, rule.turn_ms) + rule.window - now end
  if not c[CHANGED] then c[CHANGED] = 'word' end
end

-- The expiry changes with the turn: until nothing counts, whatever comes in this one.
local function expiry_in_turn(rule)
  rule.expiry = rule.expiry or expiry_of(rule.begins + rule.turn_ms + rule.longest + 1 - now)
  return rule.expiry
end

local function save_sliding(key, c)
  if c[USED] == 0 then return call('DEL', key) end
  local rule, grain = c[RULE], c[GRAIN]
  local others, lapse = min(UNKNOWN, c[USED] - c[1] % grain.unit), now + c[REST]
  if c[CHANGED] == 'word' then return call('SETRANGE', key, OTHERS_AT, pack(OTHERS, c[SINCE], others, lapse, c[1])) end
  local value = pack(SLIDING, c[NEWEST] * 32 + grain.bits, c[SINCE], others, lapse, c[1], c[2], c[3], c[4], c[5], c[6], c[7])
  if grain == rule.grain and rule.turn == c[NEWEST] then
    return call('SET', key, value, 'PX', expiry_in_turn(rule))
  end
  set(key, value, (c[NEWEST] + 1) * rule.turn_ms + grain.step + rule.window - now)
end
`;
