-- Renews a node's lease, on Redis' clock.
-- KEYS: 1 leases (members 'node incarnation', scored with the ms at which they run out)  2 what nodes say of themselves
-- ARGV: 1 'node incarnation'  2 lease in ms  3 how long dead nodes are remembered in ms  4 what the node says
--       5 the 'node incarnation' that it is from now on, where the lease was lost
-- Answers: 1 where the lease was held until now.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0') > now
local life = held and ARGV[1] or ARGV[5]
-- First what a full Redis refuses: it is refused as a whole then.
redis.call('HSET', KEYS[2], life, ARGV[4])
redis.call('ZADD', KEYS[1], now + ARGV[2], life)
if not held then
  local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])
  dead[#dead + 1] = ARGV[1]
  redis.call('ZREM', KEYS[1], unpack(dead))
  redis.call('HDEL', KEYS[2], unpack(dead))
end
return held and 1 or 0
