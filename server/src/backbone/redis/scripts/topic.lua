-- Keeps what a room is about, unless something later is kept; of the same moment the greater text stands.
-- KEYS: 1 the topic: at = when it was said, in ms, text   ARGV: 1 at  2 text  3 time to live in s
local kept = redis.call('HMGET', KEYS[1], 'at', 'text')
local at, kept_at = tonumber(ARGV[1]), tonumber(kept[1] or '0')
if at > kept_at or (at == kept_at and ARGV[2] > (kept[2] or '')) then
  redis.call('HSET', KEYS[1], 'at', ARGV[1], 'text', ARGV[2])
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
