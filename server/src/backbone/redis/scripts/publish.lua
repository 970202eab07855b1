-- Judges a batch and appends what may follow. Nothing is written unless the room answers OK.
-- KEYS: 1 meta  2 log  3 records  4 older records  5 feed
-- ARGV: 1 epoch, 2 seq, 3 id of the highest place the caller knows ('' where it knows none)
--       4 entries kept  5 PUBLISH or SPUBLISH
--       then 8 an item: client, n, generation, digest, acked n, acked epoch, acked seq, packed entry ('' = void)
-- Answers: a word for the room, or {'OK', epoch, seq before, id before, {index, word, number, ...}}: who is not
-- named was placed, in order.
local m = redis.call('HMGET', KEYS[1], 'e', 's', 'h', 'q', 'd')
local e, s, h = m[1], tonumber(m[2] or '0'), m[3] or ''
local time = redis.call('TIME')
if m[4] then
  local left = tonumber(m[4]) - (time[1] * 1000 + math.floor(time[2] / 1000))
  if left > 0 then return {'SETTLING', left} end
end
if not e then return {ARGV[1] == '' and 'NONE' or 'LOST'} end

local before, head = s, h
local fresh = {}
-- The id at a place, where the log knows it; entries lie in batches under their last seq.
local function at(seq)
  if seq == s then return h end
  if seq > before then return fresh[seq - before] end
  local batch = redis.call('XRANGE', KEYS[2], string.format('%d-0', seq), '+', 'COUNT', 1)[1]
  if not batch then return nil end
  local skip = seq - (tonumber(string.match(batch[1], '^%d+')) - tonumber(batch[2][2]) + 1)
  if skip < 0 then return nil end
  local from, packed = 1, batch[2][6]
  for _ = 1, skip do
    local _, body = struct.unpack('>I2c0', packed, from)
    local length
    length, body = struct.unpack('>I4', packed, body)
    from = body + length
  end
  return string.match(struct.unpack('>I2c0', packed, from), '^%S+')
end

if ARGV[1] ~= '' then
  local known = tonumber(ARGV[2])
  if ARGV[1] ~= e then return {'EPOCH', e, s, h} end
  if known > s then return {'BEHIND', e, s, h} end
  if ARGV[3] ~= '' then
    local id = at(known)
    if id and id ~= '' and id ~= ARGV[3] then return {'FORK', e, s, h} end
  end
end

-- Once a day: nothing of a room in use expires. Once a week: records that were not used for one are put
-- aside, and forgotten with the next turn.
local today = math.floor(time[1] / 86400)
if m[5] ~= tostring(today) then
  local week = tonumber(redis.call('HGET', KEYS[1], 'w') or '0')
  redis.call('HSET', KEYS[1], 'd', today)
  if today - week >= 7 then
    redis.call('HSET', KEYS[1], 'w', today)
    if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('RENAME', KEYS[3], KEYS[4]) end
  end
  redis.call('EXPIRE', KEYS[1], 31 * 86400)
  for key = 2, 4 do redis.call('EXPIRE', KEYS[key], 30 * 86400) end
end

local clients, known = {}, {}
for i = 6, #ARGV, 8 do
  if known[ARGV[i]] == nil then
    known[ARGV[i]] = false
    clients[#clients + 1] = ARGV[i]
  end
end
local function recall(key)
  local missing = {}
  if #clients > 0 then
    local records = redis.call('HMGET', key, unpack(clients))
    for i = 1, #clients do
      if records[i] then
        local generation, n, seq, digest = string.match(records[i], '^(%d+):(%d+):(%d+):(%d+)$')
        known[clients[i]] = {tonumber(generation), tonumber(n), tonumber(seq), digest}
      else
        missing[#missing + 1] = clients[i]
      end
    end
  end
  clients = missing
end
recall(KEYS[3])
recall(KEYS[4])

local packed, changed, exceptions = {}, {}, {}
for i = 6, #ARGV, 8 do
  local client, n, generation, entry = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), ARGV[i + 7]
  local acked = tonumber(ARGV[i + 4])
  local record = known[client]
  local word, number
  if record and generation < record[1] then
    word, number = 'FENCED', 0
  elseif record and n <= record[2] then
    if n < record[2] or entry == '' or record[3] == 0 then
      word, number = 'DUP', 0
    elseif record[4] == ARGV[i + 3] then
      word, number = 'DUP', record[3]
    else
      word, number = 'REUSED', 0
    end
  elseif entry == '' then
    word, number = 'VOID', 0
    known[client] = {generation, n, 0, ARGV[i + 3]}
    changed[client] = ARGV[i + 2] .. ':' .. ARGV[i + 1] .. ':0:' .. ARGV[i + 3]
  elseif record and record[2] < acked then
    word, number = 'BACK', record[2]
  elseif record and n ~= record[2] + 1 then
    word, number = 'GAP', record[2]
  elseif not record and acked > 0
    and (ARGV[i + 5] ~= e or at(tonumber(ARGV[i + 6])) ~= client .. '/' .. ARGV[i + 4]) then
    -- Its newest acknowledged message is not here: accepting this one would leave that one out for good.
    word, number = 'BACK', 0
  elseif not record and n ~= acked + 1 then
    word, number = 'GAP', acked
  else
    s, h = s + 1, client .. '/' .. ARGV[i + 1]
    packed[#packed + 1] = entry
    fresh[#packed] = h
    known[client] = {generation, n, s, ARGV[i + 3]}
    changed[client] = ARGV[i + 2] .. ':' .. ARGV[i + 1] .. ':' .. string.format('%d', s) .. ':' .. ARGV[i + 3]
  end
  if word then
    local last = #exceptions
    exceptions[last + 1], exceptions[last + 2], exceptions[last + 3] = (i - 6) / 8, word, number
  end
end

if #packed > 0 then
  local batch, last = table.concat(packed), string.format('%d', s)
  redis.call('XADD', KEYS[2], 'MINID', '~', string.format('%d', math.max(0, s - ARGV[4] + 1)), last .. '-0',
    'n', #packed, 'p', head, 'b', batch)
  redis.call('HSET', KEYS[1], 's', last, 'h', h)
  redis.call(ARGV[5], KEYS[5], 'E ' .. e .. ' ' .. last .. ' ' .. #packed .. ' ' .. head .. '\n' .. batch)
end
local fields = {}
for client, record in pairs(changed) do
  fields[#fields + 1], fields[#fields + 2] = client, record
end
if #fields > 0 then redis.call('HSET', KEYS[3], unpack(fields)) end
return {'OK', e, before, head, exceptions}
