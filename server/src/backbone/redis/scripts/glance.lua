-- What somebody who comes in wants to know of a room.
-- KEYS: 1 meta  2 log  3 records  4 older records  5 topic: at, text   ARGV: 1 client  2 time to live of the topic in s
-- Answers: {head or nothing, the client's record or nothing, {at, text}}
local topic = redis.call('HMGET', KEYS[5], 'at', 'text')
redis.call('EXPIRE', KEYS[5], ARGV[2])
-- Without a log its records mean nothing.
if not e then return {false, false, topic} end
local record = redis.call('HGET', KEYS[3], ARGV[1]) or redis.call('HGET', KEYS[4], ARGV[1])
return {head(), record, topic}
