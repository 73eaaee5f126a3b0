import { RedisScript } from './redis-script.js';

// All keys are in one slot, under the one that names the base. A record is a hash that ends by itself; grants and owners have
// sorted sets of the records' names, by their ends, which end with the last of them.
const HELPERS = `
local base = KEYS[1]
local function recordKey(name) return base .. 'record:' .. name end
local function drop(name)
  local facts = redis.call('HMGET', recordKey(name), 'grant', 'owner', 'uid')
  if facts[1] and facts[1] ~= '' then redis.call('ZREM', base .. 'grant:' .. facts[1], name) end
  if facts[2] and facts[2] ~= '' then redis.call('ZREM', base .. 'owner:' .. facts[2], name) end
  if facts[3] and facts[3] ~= '' then redis.call('DEL', base .. 'uid:' .. facts[3]) end
  return redis.call('DEL', recordKey(name))
end
local function found(name, now)
  local facts = redis.call('HMGET', recordKey(name), 'payload', 'consumed', 'expires')
  if not facts[1] or tonumber(facts[3]) <= tonumber(now) then return {} end
  return { name, facts[1], facts[2] or '' }
end
local function index(key, name, ends)
  redis.call('ZADD', key, ends, name)
  local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
  redis.call('PEXPIREAT', key, string.format('%.0f', tonumber(last[2])))
end
`;
const script = (source: string): RedisScript => new RedisScript(HELPERS + source);

/** ARGV name, only new, end, payload, grant or '', owner or '', uid or ''. Returns 1, or 0 for one that was left alone. */
export const SAVE_RECORD = script(`
local name, ends = ARGV[1], ARGV[3]
local key = recordKey(name)
local consumed = redis.call('HGET', key, 'consumed')
if ARGV[2] == '1' and redis.call('EXISTS', key) == 1 then return 0 end
drop(name)
redis.call('HSET', key, 'payload', ARGV[4], 'expires', ends, 'grant', ARGV[5], 'owner', ARGV[6], 'uid', ARGV[7])
if consumed then redis.call('HSET', key, 'consumed', consumed) end
redis.call('PEXPIREAT', key, ends)
if ARGV[5] ~= '' then index(base .. 'grant:' .. ARGV[5], name, ends) end
if ARGV[6] ~= '' then index(base .. 'owner:' .. ARGV[6], name, ends) end
if ARGV[7] ~= '' then redis.call('SET', base .. 'uid:' .. ARGV[7], name, 'PXAT', ends) end
return 1`);

/** ARGV name, now. Returns {name, payload, when it was used up or ''}, or nothing. */
export const FIND_RECORD = script(`return found(ARGV[1], ARGV[2])`);

/** ARGV uid, now. The same. */
export const FIND_BY_UID = script(`
local name = redis.call('GET', base .. 'uid:' .. ARGV[1])
if not name then return {} end
return found(name, ARGV[2])`);

/** ARGV name, now. Returns whether it was used up by this. */
export const CONSUME_RECORD = script(`
if #found(ARGV[1], ARGV[2]) == 0 then return 0 end
return redis.call('HSETNX', recordKey(ARGV[1]), 'consumed', ARGV[2])`);

/** ARGV name. Returns whether there was one. */
export const REMOVE_RECORD = script(`return drop(ARGV[1])`);

/** ARGV grant. */
export const REMOVE_BY_GRANT = script(`
local key = base .. 'grant:' .. ARGV[1]
for _, name in ipairs(redis.call('ZRANGE', key, 0, -1)) do drop(name) end
return redis.call('DEL', key)`);

/** ARGV owner, now, most. Returns what was found. */
export const LIST_RECORDS = script(`
local key = base .. 'owner:' .. ARGV[1]
redis.call('ZREMRANGEBYSCORE', key, '-inf', ARGV[2])
local names = redis.call('ZRANGE', key, 0, -1)
table.sort(names)
local result = {}
for i, name in ipairs(names) do
  if i > tonumber(ARGV[3]) then break end
  result[#result + 1] = found(name, ARGV[2])
end
return result`);
