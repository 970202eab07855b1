-- Gives a name back on a node.
-- KEYS: 1 the name   ARGV: 1 user  2 'node incarnation'  3 time to live in s once nobody is online under it
local time = redis.call('TIME')
if redis.call('HGET', KEYS[1], 'u') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'l:' .. ARGV[2])
redis.call('HSET', KEYS[1], 'at', string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)))
if redis.call('HLEN', KEYS[1]) == 2 then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
return 1
