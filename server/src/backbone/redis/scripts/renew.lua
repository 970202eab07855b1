-- Renews a node's lease, on Redis' clock.
-- KEYS: 1 leases (members 'node incarnation', scored with the ms at which they run out)  2 what nodes say of themselves
-- ARGV: 1 'node incarnation'  2 lease in ms  3 how long dead nodes are remembered in ms  4 what the node says
--       5 the 'node incarnation' that it is from now on, where the lease was lost
-- Answers: 1 where the lease was held until now.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local life = ARGV[1]
local held = tonumber(redis.call('ZSCORE', KEYS[1], life) or '0') > now
if not held then
  local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])
  dead[#dead + 1] = life
  redis.call('ZREM', KEYS[1], unpack(dead))
  redis.call('HDEL', KEYS[2], unpack(dead))
  life = ARGV[5]
end
redis.call('ZADD', KEYS[1], now + ARGV[2], life)
redis.call('HSET', KEYS[2], life, ARGV[4])
return held and 1 or 0
