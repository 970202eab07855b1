-- Opens a recovery round, or joins the one that nothing has ended yet.
-- KEYS: 1 meta   ARGV: 1 settling time in ms  2 the round's name, should it be a new one
-- Answers: the round's name.
local m = redis.call('HMGET', KEYS[1], 'e', 'q', 'r')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left = tonumber(m[2] or '0') - now
if left <= 0 or left > tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'q', string.format('%d', now + ARGV[1]))
end
if not m[3] then redis.call('HSET', KEYS[1], 'r', ARGV[2]) end
if not m[1] then redis.call('EXPIRE', KEYS[1], 600) end
return m[3] or ARGV[2]
