-- Takes a name, unless it is another user's.
-- KEYS: 1 the name: u = user, at = ms of the last claim or return, l:<node incarnation> = where the user is online
--   2 see above
-- ARGV: 1 user  2 'node incarnation'  3 time to live in s  4 the claim that may be broken: its user and time, or ''
--   5 how old the database has to be, in ms; 0: any age
-- Answers: 1; 'YOUNG' where the database is not old enough; or {user, at, now, 'node incarnation', ...} of the claim that
-- stands in the way.
if is_young(tonumber(ARGV[5])) then return 'YOUNG' end
local time = redis.call('TIME')
local now = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
local claim = redis.call('HGETALL', KEYS[1])
local user, at, lives = nil, '0', {}
for i = 1, #claim, 2 do
  if claim[i] == 'u' then user = claim[i + 1]
  elseif claim[i] == 'at' then at = claim[i + 1]
  else lives[#lives + 1] = string.sub(claim[i], 3) end
end
if user and user ~= ARGV[1] then
  if ARGV[4] ~= user .. ' ' .. at then return {user, at, now, unpack(lives)} end
end
redis.call('HSET', KEYS[1], 'u', ARGV[1], 'at', now, 'l:' .. ARGV[2], '1')
if user ~= ARGV[1] then
  for _, life in ipairs(lives) do
    if life ~= ARGV[2] then redis.call('HDEL', KEYS[1], 'l:' .. life) end
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
