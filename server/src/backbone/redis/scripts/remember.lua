-- A user has joined a room.   KEYS: 1 the user's rooms   ARGV: 1 room  2 rooms at most  3 time to live in s
if redis.call('SCARD', KEYS[1]) < tonumber(ARGV[2]) then redis.call('SADD', KEYS[1], ARGV[1]) end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
