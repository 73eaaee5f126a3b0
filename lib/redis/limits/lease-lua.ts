/** Leases; after `SLIDING_LUA`, with `next_counter`, `tell` and `save` made. */
export const LEASE_LUA = `
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
  if not shared then save(keys[asked], c) end
end
`;
