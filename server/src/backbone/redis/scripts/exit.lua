-- A user is no longer in a room on a node; told where the user was there.
-- KEYS: 1 the room's users on that node  2 feed   ARGV: 1 user id  2 PUBLISH or SPUBLISH  3 notice
-- Answers: how many are left there.
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then redis.call(ARGV[2], KEYS[2], ARGV[3]) end
return redis.call('HLEN', KEYS[1])
