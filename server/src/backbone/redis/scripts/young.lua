-- What the scripts that give something away share; put in front of each. In a database that has only just begun others
-- may still have to say what they hold.   KEYS: 2 since when the database is ours: 'format ms'
local function is_young(within)
  if within == 0 then return false end
  local format = redis.call('GET', KEYS[2])
  if not format then return true end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(string.match(format, ' (%d+)') or '0') < within
end
