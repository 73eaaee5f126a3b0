/**
 * How counters are kept, in Lua. All arithmetic is that of the counters in memory, so that a limit means the same wherever it is counted; a test plays
 * one history to both.
 *
 * A sliding window is its newest turn, the bits of a count, and a word for each of seven turns: a count, and above it the time of the last hit in
 * steps. A token bucket is the milliseconds until it has run empty, and when that was; a fixed window its start and its count.
 * A value of any other length is nobody's, and stands for none.
 */
export const LAYOUT_LUA = `
local call = redis.call
local floor, ceil, min, max = math.floor, math.ceil, math.min, math.max
local pack, unpack_value = struct.pack, struct.unpack
local SLIDING, SLIDING_BYTES = '<dBI4I4I4I4I4I4I4', 37
-- Where the words are. Numbers become texts slowly.
local WORD_AT = {'9', '13', '17', '21', '25', '29', '33'}
local BUCKET, BUCKET_BYTES = '<dd', 16
local FIXED, FIXED_BYTES = '<dI4', 12
-- A counter that has been read is a list, which is made faster than a record: the words of a sliding window; its rule, units that count, units that a
-- group takes, whether it has changed; then what its kind needs.
local RULE, USED, TAKEN, CHANGED = 8, 9, 10, 11
local GRAIN, NEWEST, OLDEST, REST = 12, 13, 14, 15
local START, LEVEL = 12, 12
`;

/**
 * A sliding window; after {@link LAYOUT_LUA}, with `now`, `hit` and `set` made. Written for speed, since nearly every check comes to this: a counter is
 * one table of few fields, with the words in its array and what all counters of a limit share in its rule.
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

local function rest_of(c, turn)
  local rule, grain = c[RULE], c[GRAIN]
  return turn * rule.turn_ms + min(floor(c[turn % 7 + 1] / grain.unit) * grain.step, rule.turn_ms) + rule.window - now
end

-- Units that count, the oldest turn that has any, and until when it does; from it on the times of turns follow each other.
local function count_sliding(c)
  local rule, unit, newest, used, oldest = c[RULE], c[GRAIN].unit, c[NEWEST], 0, false
  local first = rule.turn > newest and rule.turn - 6 or newest - 6
  for turn = first, newest do
    local count = c[turn % 7 + 1] % unit
    if count > 0 then
      if oldest then
        used = used + count
      else
        local rest = rest_of(c, turn)
        if rest > 0 then used, oldest, c[REST] = count, turn, rest end
      end
    end
  end
  c[USED], c[OLDEST] = used, oldest
end

-- The server's wall clock may have stepped back: nobody is locked out longer than a window.
local function settle_sliding(c)
  local turn, unit, words = c[RULE].turn, c[GRAIN].unit, {}
  for back = 0, 6 do words[(turn - back) % 7 + 1] = c[(c[NEWEST] - back) % 7 + 1] end
  for i = 1, 7 do c[i] = words[i] end
  local last = turn % 7 + 1
  local steps = min(floor(c[last] / unit), ceil((hit - turn * c[RULE].turn_ms) / c[GRAIN].step))
  c[last], c[NEWEST], c[CHANGED] = steps * unit + c[last] % unit, turn, 'all'
end

local function load_sliding(rule, value)
  if not value or #value ~= SLIDING_BYTES then
    return {0, 0, 0, 0, 0, 0, 0, rule, 0, 0, false, rule.grain, 0, false, 0}
  end
  local newest, bits, a, b, d, e, f, g, h = unpack_value(SLIDING, value)
  local grain = bits == rule.grain.bits and rule.grain or grain_of(rule.turn_ms, bits)
  local c = {a, b, d, e, f, g, h, rule, 0, 0, false, grain, newest, false, 0}
  if newest > rule.turn then settle_sliding(c) end
  count_sliding(c)
  return c
end

-- Until the next units come back.
local function reset_sliding(c)
  return c[USED] == 0 and 0 or min(c[REST], c[RULE].window + c[GRAIN].step - 1)
end

local function wait_sliding(c, missing, most)
  for turn = c[OLDEST], c[NEWEST] do
    missing = missing - c[turn % 7 + 1] % c[GRAIN].unit
    if missing <= 0 then return min(rest_of(c, turn), most) end
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
  local turn = rule.turn
  if c[USED] == 0 then
    for i = 1, 7 do c[i] = 0 end
    c[OLDEST], c[GRAIN] = turn, rule.grain
  else
    if c[GRAIN].bits < rule.grain.bits then widen(c, rule.grain) end
    for stale = max(c[NEWEST] + 1, turn - 6), turn do c[stale % 7 + 1] = 0 end
  end
  c[NEWEST], c[CHANGED] = turn, 'all'
end

-- 'in_turn' is the hit, or the end of a lease, in milliseconds of the turn.
local function add_sliding(c, rule, cost, in_turn)
  local turn, i = rule.turn, rule.slot
  if c[NEWEST] ~= turn or c[USED] == 0 or c[GRAIN] ~= rule.grain then enter_turn(c, rule) end
  local grain, word = c[GRAIN], c[i]
  local unit = grain.unit
  local count = word % unit
  local steps, hit_steps = (word - count) / unit, ceil(in_turn / grain.step)
  if hit_steps > steps then steps = hit_steps end
  c[i], c[USED] = steps * unit + count + cost, c[USED] + cost
  if c[OLDEST] == turn then c[REST] = rule.begins + min(steps * grain.step, rule.turn_ms) + rule.window - now end
  if not c[CHANGED] then c[CHANGED] = 'word' end
end

-- Within a turn only its word changes; with a new one the expiry does: until nothing counts, whatever comes in this turn.
local function save_sliding(key, c)
  if c[USED] == 0 then return call('DEL', key) end
  if c[CHANGED] == 'word' then
    local i = c[NEWEST] % 7 + 1
    return call('SETRANGE', key, WORD_AT[i], pack('<I4', c[i]))
  end
  local value = pack(SLIDING, c[NEWEST], c[GRAIN].bits, c[1], c[2], c[3], c[4], c[5], c[6], c[7])
  set(key, value, (c[NEWEST] + 1) * c[RULE].turn_ms + c[GRAIN].step + c[RULE].window - now)
end
`;
