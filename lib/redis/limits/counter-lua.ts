/**
 * How counters are kept and read, in Lua. All arithmetic is that of the counters in memory, so that a limit means the same wherever it is counted;
 * a test plays one history to both.
 *
 * A sliding window is its newest turn, the bits of a count, and a word for each of seven turns: a count, and above it the time of the last hit in
 * steps. A token bucket is the milliseconds until it has run empty, and when that was; a fixed window its start and its count.
 * A value of any other length is nobody's, and stands for none.
 */
export const COUNTER_LUA = `
local floor, ceil, min, max = math.floor, math.ceil, math.min, math.max
local SLIDING, SLIDING_BYTES = '<dBI4I4I4I4I4I4I4', 37
local BUCKET, BUCKET_BYTES = '<dd', 16
local FIXED, FIXED_BYTES = '<dI4', 12

local function step_of(turn_ms, bits)
  return ceil(turn_ms / (2 ^ (32 - bits) - 1))
end

local function read_sliding(c, value)
  local w = {}
  c.newest, c.bits, w[1], w[2], w[3], w[4], w[5], w[6], w[7] = struct.unpack(SLIDING, value)
  c.step = step_of(c.turn_ms, c.bits)
  local unit = 2 ^ c.bits
  for i = 1, 7 do
    c.counts[i] = w[i] % unit
    c.steps[i] = floor(w[i] / unit)
  end
end

local function pack_sliding(c)
  local w, unit = {}, 2 ^ c.bits
  for i = 1, 7 do w[i] = c.steps[i] * unit + c.counts[i] end
  return struct.pack(SLIDING, c.newest, c.bits, w[1], w[2], w[3], w[4], w[5], w[6], w[7])
end
`;

/** Charging and looking; after {@link COUNTER_LUA}, with `now`, `hit` and `explicit` set. */
export const CHARGE_LUA = `
local function rest_of(c, turn)
  return turn * c.turn_ms + min(c.steps[turn % 7 + 1] * c.step, c.turn_ms) + c.window - now
end

local function count_sliding(c)
  local used = 0
  for turn = max(c.turn, c.newest) - 6, c.newest do
    local count = c.counts[turn % 7 + 1]
    if count > 0 and rest_of(c, turn) > 0 then used = used + count end
  end
  c.used = used
end

-- The server's wall clock may have stepped back: nobody is locked out longer than a window.
local function settle_sliding(c)
  if c.newest <= c.turn then return end
  local counts, steps = {}, {}
  for back = 0, 6 do
    local from, to = (c.newest - back) % 7 + 1, (c.turn - back) % 7 + 1
    counts[to], steps[to] = c.counts[from], c.steps[from]
  end
  local last = c.turn % 7 + 1
  steps[last] = min(steps[last], ceil((hit - c.turn * c.turn_ms) / c.step))
  c.counts, c.steps, c.newest, c.changed = counts, steps, c.turn, true
end

local function load(key, kind, window)
  local c = {kind = kind, window = window, taken = 0, used = 0}
  local value = redis.call('GET', key)
  local size = value and #value or 0
  if kind == 's' then
    c.turn_ms = ceil(window / 6)
    c.turn = floor(hit / c.turn_ms)
    c.counts, c.steps = {}, {}
    if size == SLIDING_BYTES then
      read_sliding(c, value)
      settle_sliding(c)
      count_sliding(c)
    end
  elseif kind == 'f' then
    c.start = hit
    if size == FIXED_BYTES then
      c.start, c.used = struct.unpack(FIXED, value)
      if c.start > hit then c.start, c.changed = hit, true end
      if now - c.start >= window then c.used = 0 end
    end
  else
    c.level = 0
    if size == BUCKET_BYTES then
      local level, seen = struct.unpack(BUCKET, value)
      if seen > now then seen, c.changed = now, true end
      c.level = max(0, level - (now - seen))
    end
  end
  return c
end

local function used_of(c, charge)
  if c.kind ~= 'b' then return c.used end
  local unit = c.window / charge.limit
  local room = floor((charge.most * unit - c.level + unit * 1e-6) / unit)
  return charge.most - min(charge.most, max(0, room))
end

-- Until the next units come back.
local function reset_of(c, charge)
  if c.kind == 's' then
    if c.used == 0 then return 0 end
    for turn = max(c.turn, c.newest) - 6, c.newest do
      if c.counts[turn % 7 + 1] > 0 then
        local rest = rest_of(c, turn)
        if rest > 0 then return min(rest, c.window + c.step - 1) end
      end
    end
    return 0
  elseif c.kind == 'f' then
    return c.used == 0 and 0 or min(c.window, c.start + c.window - now)
  elseif c.level == 0 then
    return 0
  end
  local unit = c.window / charge.limit
  return max(1, ceil(c.level - (used_of(c, charge) - 1) * unit - unit * 1e-6))
end

-- Until a charge that does not fit would.
local function wait_of(c, charge, cost)
  if cost > charge.most then return c.window end
  if c.kind == 'f' then return reset_of(c, charge) end
  if c.kind == 'b' then
    local unit = c.window / charge.limit
    return max(1, ceil(c.level + (cost - charge.most) * unit - unit * 1e-6))
  end
  local missing = c.used + cost - charge.limit
  for turn = max(c.turn, c.newest) - 6, c.newest do
    local count = c.counts[turn % 7 + 1]
    if count > 0 then
      local rest = rest_of(c, turn)
      if rest > 0 then
        missing = missing - count
        if missing <= 0 then return min(rest, c.window + c.step - 1) end
      end
    end
  end
  return c.window
end

-- 'at' is the hit, or the end of a lease, in the same turn.
local function add_sliding(c, bits, cost, at)
  if c.used == 0 then
    for i = 1, 7 do c.counts[i], c.steps[i] = 0, 0 end
    c.newest, c.bits, c.step = c.turn, bits, step_of(c.turn_ms, bits)
  elseif c.bits < bits then
    local step = step_of(c.turn_ms, bits)
    for i = 1, 7 do c.steps[i] = ceil(c.steps[i] * c.step / step) end
    c.bits, c.step = bits, step
  end
  for turn = max(c.newest + 1, c.turn - 6), c.turn do
    c.counts[turn % 7 + 1], c.steps[turn % 7 + 1] = 0, 0
  end
  c.newest = c.turn
  local i = c.turn % 7 + 1
  c.counts[i] = c.counts[i] + cost
  c.steps[i] = max(c.steps[i], ceil((at - c.turn * c.turn_ms) / c.step))
  c.used = c.used + cost
end

local function add(c, charge)
  if charge.cost == 0 then return end
  c.changed = true
  if c.kind == 's' then
    add_sliding(c, charge.size, charge.cost, hit)
  elseif c.kind == 'f' then
    if c.used == 0 then c.start = hit end
    c.used = c.used + charge.cost
  else
    c.level = c.level + charge.cost * c.window / charge.limit
  end
end

-- A counter is gone when all in it has lapsed.
local function save(key, c)
  local value, rest
  if c.kind == 's' then
    if c.used > 0 then
      value, rest = pack_sliding(c), 1
      for turn = c.newest - 6, c.newest do
        if c.counts[turn % 7 + 1] > 0 then rest = max(rest, rest_of(c, turn)) end
      end
    end
  elseif c.kind == 'f' then
    if c.used > 0 then value, rest = struct.pack(FIXED, c.start, c.used), c.start + c.window - now end
  elseif c.level > 0 then
    value, rest = struct.pack(BUCKET, c.level, now), ceil(c.level)
  end
  if not value then redis.call('DEL', key) return end
  -- Times that a test makes up have nothing to do with those at which keys expire.
  if explicit then rest = rest + 3600000 end
  redis.call('SET', key, value, 'PX', string.format('%.0f', min(rest, 1e13)))
end
`;
