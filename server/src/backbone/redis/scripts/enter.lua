-- A user is in a room on a node.
-- KEYS: 1 the room's users on that node  2 feed   ARGV: 1 user id  2 the user  3 PUBLISH or SPUBLISH  4 notice
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], 7 * 86400)
redis.call(ARGV[3], KEYS[2], ARGV[4])
return 1
