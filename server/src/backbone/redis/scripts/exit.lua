-- A user is no longer in a room on a node. Told in any case: others may know of somebody whom a lost lease has
-- taken from here.
-- KEYS: 1 the room's users on that node  2 feed   ARGV: 1 user id  2 PUBLISH or SPUBLISH  3 notice
-- Answers: how many are left there.
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call(ARGV[2], KEYS[2], ARGV[3])
return redis.call('HLEN', KEYS[1])
