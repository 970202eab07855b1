-- Registers a client's connection for its user.
-- KEYS: 1 the client: u = user, g = newest generation   ARGV: 1 user  2 generation  3 time to live in s
-- Answers: the newest generation before this one, 0 where there was none; nothing where the client is another user's.
local known = redis.call('HMGET', KEYS[1], 'u', 'g')
if known[1] and known[1] ~= ARGV[1] then return false end
local before = tonumber(known[2] or '0')
local newest = math.max(before, tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'u', ARGV[1], 'g', string.format('%d', newest))
redis.call('EXPIRE', KEYS[1], ARGV[3])
return before
