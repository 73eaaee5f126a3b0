/**
 * The time, in Lua; after `LAYOUT_LUA`. Windows are measured by the server's clock, less how far it is ahead of the time that has passed: a clock that
 * steps, or a replica with another one that becomes the master, changes no decision. A step is what both sides see. A node has an estimate: the time that
 * it was last told and what has passed since by its own monotonic clock, at least from the answer on, at most from the question on. And the server has
 * its own mark, the last reading at which a node with an estimate was here:
 * - Forward: the time is beyond the most that can have passed for the node, and nobody has been here in what would have been jumped over. A node that was
 *   suspended, or an answer that was long on its way, is refuted by any other node; if there was none, windows last as much longer, and nobody gets more.
 * - Back: the time is behind the least that has passed for the node, and the server's reading is behind its own mark. Without the mark nothing is done, as
 *   a time set forward in error would free units.
 * What is set is always the least that has passed. Who asks first settles it for all, in the script that decides for it: changes are numbered, and an
 * estimate from before the last one is not listened to. Steps below the tolerance are taken as they are: they cannot be told from a question that has
 * waited at a busy server.
 */
export const CLOCK_LUA = `
-- Changes, milliseconds that the server's clock is ahead, mark. Kept as long as the longest window.
local CLOCK, CLOCK_BYTES, CLOCK_LIFE = '<I4dd', 20, '2764800000'
local TOLERANCE, MARK_EVERY = 2000, 1000

-- The time now, that of a hit, and the number of changes.
local function time_of(key, value, low, high, known)
  local time = call('TIME')
  local own, changes, ahead, mark = time[1] * 1000 + floor(time[2] / 1000), 0, 0, false
  if value and #value == CLOCK_BYTES then changes, ahead, mark = unpack_value(CLOCK, value) end
  local now, moved = own - ahead, false
  low, high, known = tonumber(low), tonumber(high), tonumber(known)
  local heard = low and known >= changes
  if heard then
    local forward = now - high
    if forward > TOLERANCE then moved = not mark or own - mark >= forward
    elseif low - now > TOLERANCE then moved = mark and own < mark end
    if moved then now, ahead, changes = low, own - low, max(changes, known) + 1 end
  end
  -- Whoever has no estimate sees no step forward, and must not hide it from those who have one.
  if moved or not mark or own < mark or heard and own - mark > MARK_EVERY then
    call('SET', key, pack(CLOCK, changes, ahead, own), 'PX', CLOCK_LIFE)
  end
  return now, now + (time[2] % 1000 > 0 and 1 or 0), changes
end
`;
