-- Makes a log, if there is none, in the round in which nobody had anything.
-- KEYS: 1 meta  2 log  3 records  4 older records
-- ARGV: 1 the round  2 an epoch  3 epoch and 4 seq of the last place known of a former life ('' = none)
-- Answers: the log's head; nothing where the round is another, or forgotten.
if e then return head() end
if redis.call('HGET', KEYS[1], 'r') ~= ARGV[1] then return false end
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
redis.call('HDEL', KEYS[1], 'r', 'q', 'd')
e, s, h = ARGV[2], 0, ''
if ARGV[3] ~= '' and ARGV[4] == '0' then
  -- Nothing was written in it: nobody has missed anything, it goes on.
  e = ARGV[3]
elseif ARGV[3] ~= '' then
  m[5], m[6] = ARGV[3], ARGV[4]
  redis.call('HSET', KEYS[1], 'pe', m[5], 'ps', m[6])
end
redis.call('HSET', KEYS[1], 'e', e, 's', '0', 'h', '')
-- Rooms in which nothing is ever said cost nothing for long; with the first entry a log lives on.
redis.call('EXPIRE', KEYS[1], 600)
return head()
