-- Registers a client's connection for its user, and tells the nodes of it.
-- KEYS: 1 the client: u = user, g = newest generation  2 see above  3 what every node hears
-- ARGV: 1 user  2 generation, 0 where it counts none  3 time to live in s  4 how old the database has to be, in ms; 0: any
--   age, and nobody is told  5 PUBLISH  6 the notice, before its number
-- Answers: the newest generation before this one, 0 where there was none; 'FOREIGN' where the client is another user's,
-- 'YOUNG' where the database is not old enough.
local within = tonumber(ARGV[4])
if is_young(within) then return 'YOUNG' end
local known = redis.call('HMGET', KEYS[1], 'u', 'g')
if known[1] and known[1] ~= ARGV[1] then return 'FOREIGN' end
local before, generation = tonumber(known[2] or '0'), tonumber(ARGV[2])
local newest = string.format('%d', math.max(before, generation))
redis.call('HSET', KEYS[1], 'u', ARGV[1], 'g', newest)
redis.call('EXPIRE', KEYS[1], ARGV[3])
if within > 0 and (generation == 0 or generation > before) then
  redis.call(ARGV[5], KEYS[3], ARGV[6] .. newest)
end
return before
