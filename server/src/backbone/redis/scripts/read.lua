-- A page behind a place.
-- ARGV: 1 epoch  2 seq  3 id ('' = not compared)  4 entries at most
-- Answers: LOST, {'EPOCH', head}, {'BEHIND' | 'FORK', epoch, seq, id}, {'TRIMMED', epoch, seq, id, first},
-- {'OK', epoch, seq, id, {batch, ...}} with batches that may begin before the place and end behind the page.
if not e then return {'LOST'} end
if e ~= ARGV[1] then return {'EPOCH', head()} end
local seq, left = tonumber(ARGV[2]), tonumber(ARGV[4])
if seq > s then return {'BEHIND', e, s, h} end
if contradicts(seq, ARGV[3]) then return {'FORK', e, s, h} end
local page, from = {}, seq + 1
repeat
  local batches = redis.call('XRANGE', KEYS[2], string.format('%d-0', from), '+', 'COUNT', 16)
  for _, batch in ipairs(batches) do
    local last = tonumber(string.match(batch[1], '^%d+'))
    page[#page + 1] = batch
    left, from = left - (last - from + 1), last + 1
    if left <= 0 then break end
  end
until left <= 0 or #batches < 16
local begins = page[1] and first_of(page[1]) or s + 1
if seq + 1 < begins then return {'TRIMMED', e, s, h, begins} end
local prev = page[1] and begins == seq + 1 and page[1][2][4] or ''
if ARGV[3] ~= '' and prev ~= '' and prev ~= ARGV[3] then return {'FORK', e, s, h} end
return {'OK', e, s, h, page}
