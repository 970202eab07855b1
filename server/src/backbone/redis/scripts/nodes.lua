-- The nodes whose leases ran out no longer ago than ARGV[1] ms: {now, member, until, what it says, ...}.
-- KEYS: 1 leases  2 what nodes say of themselves
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. (now - ARGV[1]), '+inf', 'WITHSCORES')
local members = {}
for i = 1, #found, 2 do members[#members + 1] = found[i] end
if #members == 0 then return {now} end
local said = redis.call('HMGET', KEYS[2], unpack(members))
local answer = {now}
for i = 1, #members do
  answer[#answer + 1] = members[i]
  answer[#answer + 1] = tonumber(found[2 * i])
  answer[#answer + 1] = said[i] or ''
end
return answer
