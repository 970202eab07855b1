-- The entries that end before a place, or at the head.
-- ARGV: 1 seq ('' = behind the head)  2 entries at most
-- Answers: {head, {batch, ...}}, the newest batch first; batches may end behind the page. Nothing: there is no log.
if not e then return false end
local before = math.min(tonumber(ARGV[1]) or s + 1, s + 1)
local page, left = {}, tonumber(ARGV[2])
if before > 1 and left > 0 then
  -- The batch that holds the entry before the place ends with it, or behind it.
  local newest = redis.call('XRANGE', KEYS[2], string.format('%d-0', before - 1), '+', 'COUNT', 1)[1]
  local to = newest and newest[1]
  while to and left > 0 do
    local batches = redis.call('XREVRANGE', KEYS[2], to, '-', 'COUNT', 16)
    to = nil
    for _, batch in ipairs(batches) do
      local first = first_of(batch)
      page[#page + 1] = batch
      left, before = left - (before - first), first
      to = string.format('(%d-0', first)
      if left <= 0 then break end
    end
    if #batches < 16 then break end
  end
end
return {head(), page}
