import { RedisScript } from './redis-script.js';

// A change is told of before it is made: nobody hears of it before the script has ended, and where publishing is not
// permitted nothing is written.

/** Reads a key. KEYS key. */
export const FIND = new RedisScript(`return redis.call('HGETALL', KEYS[1])`);

/** Adds a key. KEYS key; ARGV channel, message, field, value, … Returns 0 if there is one. */
export const INSERT = new RedisScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('PUBLISH', ARGV[1], ARGV[2])
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
return 1`);

/**
 * Changes a key. KEYS key; ARGV channel, message, field that must be empty or '', number of arguments that follow as
 * field, value, …; then fields to empty. Returns the key as it then is, or nothing.
 */
export const UPDATE = new RedisScript(`
local key = KEYS[1]
if redis.call('EXISTS', key) == 0 then return {} end
if ARGV[3] ~= '' and redis.call('HEXISTS', key, ARGV[3]) == 1 then return {} end
local filled = 4 + tonumber(ARGV[4])
if #ARGV > 4 then redis.call('PUBLISH', ARGV[1], ARGV[2]) end
if filled > 4 then redis.call('HSET', key, unpack(ARGV, 5, filled)) end
if #ARGV > filled then redis.call('HDEL', key, unpack(ARGV, filled + 1)) end
return redis.call('HGETALL', key)`);

/**
 * Gives a key its successor. KEYS key; ARGV channel, message, the successor's message, successor, end of the overlap.
 * Returns 0 if the key is not there, revoked, or has another successor: a client may send the same once more.
 */
export const LINK = new RedisScript(`
local key = KEYS[1]
if redis.call('EXISTS', key) == 0 then return 0 end
local successor = redis.call('HGET', key, 'successor')
if successor == ARGV[4] then return 1 end
if successor or redis.call('HEXISTS', key, 'revokedAt') == 1 then return 0 end
redis.call('PUBLISH', ARGV[1], ARGV[2])
redis.call('PUBLISH', ARGV[1], ARGV[3])
redis.call('HSET', key, 'successor', ARGV[4], 'overlapEndsAt', ARGV[5])
return 1`);

/** A successor is one: it is linked. KEYS key. */
export const CONFIRM = new RedisScript(`return redis.call('HDEL', KEYS[1], 'pending')`);

/** Takes back a successor that was not linked. KEYS key, uses. */
export const WITHDRAW = new RedisScript(`
if redis.call('HEXISTS', KEYS[1], 'pending') == 0 then return 0 end
return redis.call('DEL', KEYS[1], KEYS[2])`);

/**
 * Revokes a key of an owner. KEYS key; ARGV channel, message, owner, time. Returns 'missing', 'kept' if it was revoked
 * before or is somebody else's, or 'revoked'.
 */
export const REVOKE = new RedisScript(`
local key = KEYS[1]
local owner = redis.call('HGET', key, 'owner')
if not owner then return 'missing' end
if owner ~= ARGV[3] or redis.call('HEXISTS', key, 'revokedAt') == 1 then return 'kept' end
redis.call('PUBLISH', ARGV[1], ARGV[2])
redis.call('HSET', key, 'revokedAt', ARGV[4])
return 'revoked'`);

/** Adds uses. KEYS key, uses; ARGV time, address or '', day since 1970, number, days to keep. */
export const USE = new RedisScript(`
local key, days = KEYS[1], KEYS[2]
if redis.call('EXISTS', key) == 0 then return 0 end
local last = tonumber(redis.call('HGET', key, 'lastUsedAt') or '0')
if tonumber(ARGV[1]) >= last then
  redis.call('HSET', key, 'lastUsedAt', ARGV[1])
  if ARGV[2] == '' then redis.call('HDEL', key, 'lastUsedFrom')
  else redis.call('HSET', key, 'lastUsedFrom', ARGV[2]) end
end
redis.call('HINCRBY', days, ARGV[3], ARGV[4])
local most = tonumber(ARGV[5])
if redis.call('HLEN', days) > most then
  local kept, newest = redis.call('HKEYS', days), 0
  for _, day in ipairs(kept) do newest = math.max(newest, tonumber(day)) end
  for _, day in ipairs(kept) do
    if tonumber(day) <= newest - most then redis.call('HDEL', days, day) end
  end
end
return 1`);

/**
 * Removes a key that ended. KEYS key, uses; ARGV time. Returns {'removed', owner}, {'missing'}, or {'kept', its end or
 * '+inf'}.
 */
export const REMOVE_ENDED = new RedisScript(`
local key = KEYS[1]
local owner = redis.call('HGET', key, 'owner')
if not owner then return {'missing'} end
local first = '+inf'
for _, text in ipairs(redis.call('HMGET', key, 'expiresAt', 'overlapEndsAt', 'revokedAt')) do
  if text and (tonumber(text) or math.huge) < (tonumber(first) or math.huge) then first = text end
end
if first == '+inf' or tonumber(first) >= tonumber(ARGV[1]) then return {'kept', first} end
redis.call('DEL', key, KEYS[2])
return {'removed', owner}`);

/** Puts ids in an index. KEYS index; ARGV score, id, … An id that is there keeps its place. */
export const ADD_TO_INDEX = new RedisScript(`return redis.call('ZADD', KEYS[1], 'NX', unpack(ARGV))`);

/** The same, but an id that is there moves forward if its new score is lower. */
export const ADVANCE_IN_INDEX = new RedisScript(`
for i = 1, #ARGV, 2 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i + 1])
  if not score or tonumber(ARGV[i]) < tonumber(score) then redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return 1`);

/** Takes an id out of an index. KEYS index; ARGV id. */
export const REMOVE_FROM_INDEX = new RedisScript(`return redis.call('ZREM', KEYS[1], ARGV[1])`);

/** Puts right the score of an id, '+inf' to take it out. KEYS index; ARGV id, the score that was wrong, the right one. */
export const CORRECT_INDEX = new RedisScript(`
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[2]) then return 0 end
if ARGV[3] == '+inf' then return redis.call('ZREM', KEYS[1], ARGV[1]) end
return redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])`);

/** All ids of an index, lowest score first. KEYS index. */
export const IDS = new RedisScript(`return redis.call('ZRANGE', KEYS[1], 0, -1)`);

/** Ids from the highest score down. KEYS index; ARGV how many, id to continue after or ''. */
export const PAGE = new RedisScript(`
local first = 0
if ARGV[2] ~= '' then
  local rank = redis.call('ZREVRANK', KEYS[1], ARGV[2])
  if not rank then return {} end
  first = rank + 1
end
return redis.call('ZREVRANGE', KEYS[1], first, first + ARGV[1] - 1)`);

/** Ids and scores below a score, lowest first. KEYS index; ARGV score, how many. */
export const BELOW = new RedisScript(
  `return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])`,
);

/** Uses by day since 1970. KEYS uses. */
export const USAGE = new RedisScript(`return redis.call('HGETALL', KEYS[1])`);

/** What a server knows of its memory; '' where that is not permitted. KEYS any key. */
export const MEMORY_POLICY = new RedisScript(`
local info = redis.pcall('INFO', 'memory')
if type(info) ~= 'string' then return '' end
return string.match(info, 'maxmemory_policy:([%w-]+)') or ''`);
