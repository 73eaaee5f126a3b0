/** Token buckets and fixed windows; after `LAYOUT_LUA`, with `now`, `hit` and `set` made. `rule` is what a charge says of its limit. */
export const SIMPLE_LUA = `
local function load_fixed(rule, value)
  local c = {0, 0, 0, 0, 0, 0, 0, rule, 0, 0, false, hit}
  if not value or #value ~= FIXED_BYTES then return c end
  c[START], c[USED] = unpack_value(FIXED, value)
  if c[START] > hit then c[START], c[CHANGED] = hit, true end
  if now - c[START] >= c[RULE].window then c[USED] = 0 end
  return c
end

local function reset_fixed(c)
  return c[USED] == 0 and 0 or min(c[RULE].window, c[START] + c[RULE].window - now)
end

local function add_fixed(c, cost)
  if c[USED] == 0 then c[START] = hit end
  c[USED], c[CHANGED] = c[USED] + cost, true
end

local function save_fixed(key, c)
  if c[USED] == 0 then return call('DEL', key) end
  set(key, pack(FIXED, c[START], c[USED]), c[START] + c[RULE].window - now)
end

local function load_bucket(rule, value)
  local c = {0, 0, 0, 0, 0, 0, 0, rule, 0, 0, false, 0}
  if not value or #value ~= BUCKET_BYTES then return c end
  local level, seen = unpack_value(BUCKET, value)
  if seen > now then seen, c[CHANGED] = now, true end
  c[LEVEL] = max(0, level - (now - seen))
  return c
end

local function used_of_bucket(c, rule)
  local unit = rule.unit
  local room = floor((rule.most * unit - c[LEVEL] + unit * 1e-6) / unit)
  return rule.most - min(rule.most, max(0, room))
end

local function reset_bucket(c, rule)
  if c[LEVEL] == 0 then return 0 end
  return max(1, ceil(c[LEVEL] - (used_of_bucket(c, rule) - 1) * rule.unit - rule.unit * 1e-6))
end

local function wait_bucket(c, rule, cost)
  return max(1, ceil(c[LEVEL] + (cost - rule.most) * rule.unit - rule.unit * 1e-6))
end

local function add_bucket(c, rule, cost)
  c[LEVEL], c[CHANGED] = c[LEVEL] + cost * c[RULE].window / rule.limit, true
end

local function save_bucket(key, c)
  if c[LEVEL] <= 0 then return call('DEL', key) end
  set(key, pack(BUCKET, c[LEVEL], now), min(ceil(c[LEVEL]), 1e13))
end
`;
