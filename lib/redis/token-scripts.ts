import { RedisScript } from './redis-script.js';

// All keys of the store are in one slot. The first is what the names of the others begin with, because a script finds out only
// on its way which sessions it touches. A change is told of before it is made: nobody hears of it before the script has
// ended, and where publishing is not permitted nothing is written.
const HELPERS = `
local base = KEYS[1]
local function familyKey(family) return base .. 'family:' .. family end
local function drop(family)
  local facts = redis.call('HMGET', familyKey(family), 'id', 'owner')
  if facts[1] then redis.call('DEL', base .. 'session:' .. facts[1]) end
  if facts[2] then redis.call('ZREM', base .. 'subject:' .. facts[2], family) end
  redis.call('ZREM', base .. 'ends', family)
  redis.call('DEL', familyKey(family))
end
local function revoke(name, at, ends)
  local known = redis.call('HGET', base .. 'revoked', name)
  if known then
    local knownAt, knownEnds = string.match(known, '^(%d+) (%d+)$')
    if tonumber(knownAt) > tonumber(at) then at = knownAt end
    if tonumber(knownEnds) > tonumber(ends) then ends = knownEnds end
  end
  local time = redis.call('TIME')
  local last = tonumber(redis.call('GET', base .. 'revoked:last') or '0')
  local place = string.format('%.0f', math.max(tonumber(time[1]) * 1000000 + tonumber(time[2]), last + 1))
  redis.call('SET', base .. 'revoked:last', place)
  redis.call('HSET', base .. 'revoked', name, at .. ' ' .. ends)
  redis.call('ZADD', base .. 'revoked:order', place, name)
  redis.call('ZADD', base .. 'revoked:ends', ends, name)
end
`;
const script = (source: string): RedisScript => new RedisScript(HELPERS + source);

/** ARGV family, digest of the subject, id, time of use, end, most sessions of a subject; field, value, … */
export const CREATE_SESSION = script(`
local family, subject = ARGV[1], base .. 'subject:' .. ARGV[2]
redis.call('HSET', familyKey(family), unpack(ARGV, 7))
redis.call('SET', base .. 'session:' .. ARGV[3], family)
redis.call('ZADD', subject, ARGV[4], family)
redis.call('ZADD', base .. 'ends', ARGV[5], family)
local surplus = redis.call('ZCARD', subject) - tonumber(ARGV[6])
if surplus > 0 then
  for _, one in ipairs(redis.call('ZRANGE', subject, 0, surplus - 1)) do drop(one) end
end
return 1`);

/** ARGV family, now. Returns its fields, or nothing. */
export const FIND_SESSION = script(`
local ends = redis.call('HGET', familyKey(ARGV[1]), 'idleUntil')
if not ends or tonumber(ends) <= tonumber(ARGV[2]) then return {} end
return redis.call('HGETALL', familyKey(ARGV[1]))`);

/**
 * ARGV channel, family, token, successor, now, end, address or '', salt or '', end of the grace, revocation, its time, its
 * end. Returns {'rotated'}, {'repeated', salt}, {'unknown'} or {'reused', field, value, …}.
 */
export const ROTATE_SESSION = script(`
local family, token, now = ARGV[2], ARGV[3], tonumber(ARGV[5])
local key = familyKey(family)
local known = redis.call('HMGET', key, 'newest', 'idleUntil', 'expiresAt', 'owner', 'previous', 'salt', 'graceUntil')
if not known[1] or tonumber(known[2]) <= now then return {'unknown'} end
if known[1] == token then
  local ends = ARGV[6]
  if tonumber(known[3]) < tonumber(ends) then ends = known[3] end
  redis.call('HSET', key, 'newest', ARGV[4], 'lastUsedAt', ARGV[5], 'idleUntil', ends)
  if ARGV[7] ~= '' then redis.call('HSET', key, 'lastAddress', ARGV[7]) end
  if ARGV[8] ~= '' then redis.call('HSET', key, 'previous', token, 'salt', ARGV[8], 'graceUntil', ARGV[9])
  else redis.call('HDEL', key, 'previous', 'salt', 'graceUntil') end
  redis.call('ZADD', base .. 'subject:' .. known[4], ARGV[5], family)
  redis.call('ZADD', base .. 'ends', ends, family)
  return {'rotated'}
end
if known[5] == token and now < tonumber(known[7]) then return {'repeated', known[6]} end
redis.call('PUBLISH', ARGV[1], '')
local fields = redis.call('HGETALL', key)
drop(family)
revoke(ARGV[10], ARGV[11], ARGV[12])
table.insert(fields, 1, 'reused')
return fields`);

/** ARGV channel, id, revocation, its time, its end. Returns the fields of the session, or nothing. */
export const END_SESSION = script(`
redis.call('PUBLISH', ARGV[1], '')
local family = redis.call('GET', base .. 'session:' .. ARGV[2])
local fields = {}
if family then
  fields = redis.call('HGETALL', familyKey(family))
  drop(family)
end
revoke(ARGV[3], ARGV[4], ARGV[5])
return fields`);

/** ARGV channel, digest of the subject, revocation, its time, its end, what those of sessions begin with. Returns the sessions' fields. */
export const END_SESSIONS = script(`
redis.call('PUBLISH', ARGV[1], '')
local ended = {}
for _, family in ipairs(redis.call('ZRANGE', base .. 'subject:' .. ARGV[2], 0, -1)) do
  local fields = redis.call('HGETALL', familyKey(family))
  local id = redis.call('HGET', familyKey(family), 'id')
  drop(family)
  if id then
    revoke(ARGV[6] .. id, ARGV[4], ARGV[5])
    ended[#ended + 1] = fields
  end
end
revoke(ARGV[3], ARGV[4], ARGV[5])
return ended`);

/** ARGV digest of the subject. Returns the fields of its sessions, the one used last first. */
export const LIST_SESSIONS = script(`
local listed = {}
for _, family in ipairs(redis.call('ZREVRANGE', base .. 'subject:' .. ARGV[1], 0, -1)) do
  listed[#listed + 1] = redis.call('HGETALL', familyKey(family))
end
return listed`);

/** ARGV channel, revocation, its time, its end. */
export const REVOKE_TOKENS = script(`
redis.call('PUBLISH', ARGV[1], '')
revoke(ARGV[2], ARGV[3], ARGV[4])
return 1`);

/** ARGV place to go on behind, now, how many. Returns whether there are more, the last place, revocation, its times, … */
export const REVOKED_SINCE = script(`
local most = tonumber(ARGV[3])
local found = redis.call('ZRANGEBYSCORE', base .. 'revoked:order', '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, most + 1)
local more = #found > 2 * most
local page, last = {more and '1' or '0', ARGV[1]}, math.min(#found, 2 * most)
for i = 1, last, 2 do
  local times = redis.call('HGET', base .. 'revoked', found[i])
  page[2] = found[i + 1]
  if times and tonumber(string.match(times, ' (%d+)$')) > tonumber(ARGV[2]) then
    page[#page + 1] = found[i]
    page[#page + 1] = times
  end
end
return page`);

/** ARGV digest of the issuer. Returns version and content, or nothing. */
export const KEY_RING = script(`
local ring = redis.call('HMGET', base .. 'ring:' .. ARGV[1], 'version', 'content')
if not ring[1] then return {} end
return ring`);

/** ARGV channel, digest of the issuer, version, content. Returns 0 if the version before is not there. */
export const REPLACE_KEY_RING = script(`
local key = base .. 'ring:' .. ARGV[2]
local version = tonumber(redis.call('HGET', key, 'version') or '0')
if version ~= tonumber(ARGV[3]) - 1 then return 0 end
redis.call('PUBLISH', ARGV[1], '')
redis.call('HSET', key, 'version', ARGV[3], 'content', ARGV[4])
return 1`);

/** ARGV now, how many. Returns how many sessions and revocations went. */
export const PURGE_TOKENS = script(`
local lapsed = redis.call('ZRANGEBYSCORE', base .. 'ends', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, family in ipairs(lapsed) do drop(family) end
local names = redis.call('ZRANGEBYSCORE', base .. 'revoked:ends', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2] - #lapsed)
for _, name in ipairs(names) do
  redis.call('HDEL', base .. 'revoked', name)
  redis.call('ZREM', base .. 'revoked:order', name)
  redis.call('ZREM', base .. 'revoked:ends', name)
end
return #lapsed + #names`);
