-- Judges a batch and appends what may follow. Nothing is written unless the room answers OK.
-- KEYS: 1 meta  2 log  3 records  4 older records  5 feed
-- ARGV: 1 epoch, 2 seq, 3 id of the highest place the caller knows ('' where it knows none)
--       4 entries kept  5 PUBLISH or SPUBLISH  6 the day since 1970 by the caller's clock  7 settling time in ms
--       8 the heads of the items  9 their packed entries, one behind the other
--       then the clients that the heads point at, each once
-- Answers: a word for the room, or {'OK', epoch, seq before, id before, {index, word, number, ...}}: who is not
-- named was placed, in order.
--
-- What costs here is each call of Redis and each string that crosses between it and Lua. So the items come in two
-- strings, however many they are; and as a rule all of them are placed, and the second one goes into log and feed
-- as it came.
local CLIENTS = 9
-- A head: which client, bytes of its entry (0 = void), generation, n, digest, acked n; behind them acked seq and
-- epoch, which are seldom looked at.
local HEAD, EVIDENCE, EVIDENCE_AT, HEAD_BYTES = '>I4I4I8I8c16I8', '>I8c16', 48, 72
-- The newest of a client: generation, n, digest, seq (0 = void). repair.lua writes it too.
local RECORD = '>I8I8c16I8'

local m = redis.call('HMGET', KEYS[1], 'e', 's', 'h', 'q', 'd')
local e, s, h = m[1], tonumber(m[2] or '0'), m[3] or ''
if m[4] then
  local time = redis.call('TIME')
  local left = tonumber(m[4]) - (time[1] * 1000 + math.floor(time[2] / 1000))
  -- A round never lasts longer than this: what says so was written by another clock.
  if left > 0 and left <= tonumber(ARGV[7]) then return {'SETTLING', left} end
end
if not e then return {ARGV[1] == '' and 'NONE' or 'LOST'} end

local heads, entries = ARGV[8], ARGV[9]
-- Where the heads of the placed items begin.
local placed = {}
local function id_of(head)
  local client, _, _, n = struct.unpack(HEAD, heads, head)
  return ARGV[CLIENTS + client] .. '/' .. string.format('%d', n)
end
-- The id at a place, where the log knows it; entries lie in batches under their last seq.
local function at(seq)
  if seq > s then return placed[seq - s] and id_of(placed[seq - s]) end
  if seq == s then return h end
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
-- aside, and forgotten with the next turn. The caller's clock only says when to look at Redis'.
local is_first_today = false
if m[5] ~= ARGV[6] then
  local today = math.floor(redis.call('TIME')[1] / 86400)
  if m[5] ~= tostring(today) then
    local week = tonumber(redis.call('HGET', KEYS[1], 'w') or '0')
    redis.call('HSET', KEYS[1], 'd', today)
    if today - week >= 7 then
      redis.call('HSET', KEYS[1], 'w', today)
      if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('RENAME', KEYS[3], KEYS[4]) end
    end
    is_first_today = true
  end
end

local records = {}
if #ARGV > CLIENTS then records = redis.call('HMGET', KEYS[3], unpack(ARGV, CLIENTS + 1)) end
local missing = {}
for client = 1, #records do
  if not records[client] then missing[#missing + 1] = client end
end
if #missing > 0 then
  local clients = {}
  for i = 1, #missing do clients[i] = ARGV[CLIENTS + missing[i]] end
  local older = redis.call('HMGET', KEYS[4], unpack(clients))
  for i = 1, #missing do records[missing[i]] = older[i] end
end

-- True where the newest acknowledged message of an item's client is here.
local function has_acked(head)
  local client, _, _, _, _, acked = struct.unpack(HEAD, heads, head)
  local seq, epoch = struct.unpack(EVIDENCE, heads, head + EVIDENCE_AT)
  return epoch == e and at(seq) == ARGV[CLIENTS + client] .. '/' .. string.format('%d', acked)
end

local changed, exceptions = {}, {}
-- What goes into the log: parts that end where an entry is left out, and what follows behind the last of them.
local parts, part, entry = {}, 1, 1
for head = 1, #heads, HEAD_BYTES do
  local client, length, generation, n, digest, acked = struct.unpack(HEAD, heads, head)
  local record = records[client]
  local known_generation, newest, known_digest, seq
  if record then known_generation, newest, known_digest, seq = struct.unpack(RECORD, record) end
  local word, number
  if record and generation < known_generation then
    word, number = 'FENCED', 0
  elseif record and n <= newest then
    if n < newest or length == 0 or seq == 0 then
      word, number = 'DUP', 0
    elseif digest == known_digest then
      word, number = 'DUP', seq
    else
      word, number = 'REUSED', 0
    end
  elseif length == 0 then
    word, number = 'VOID', 0
    changed[client] = struct.pack(RECORD, generation, n, digest, 0)
    records[client] = changed[client]
  elseif record and newest < acked then
    word, number = 'BACK', newest
  elseif record and n ~= newest + 1 then
    word, number = 'GAP', newest
  elseif not record and acked > 0 and not has_acked(head) then
    -- Accepting this one would leave that one out for good.
    word, number = 'BACK', 0
  elseif not record and n ~= acked + 1 then
    word, number = 'GAP', acked
  end
  if not word then
    placed[#placed + 1] = head
    changed[client] = struct.pack(RECORD, generation, n, digest, s + #placed)
    records[client] = changed[client]
  else
    local last = #exceptions
    exceptions[last + 1], exceptions[last + 2], exceptions[last + 3] = (head - 1) / HEAD_BYTES, word, number
    parts[#parts + 1] = string.sub(entries, part, entry - 1)
    part = entry + length
  end
  entry = entry + length
end

if #placed > 0 then
  local batch, last = entries, string.format('%d', s + #placed)
  if part > 1 then batch = table.concat(parts) .. string.sub(entries, part) end
  redis.call('XADD', KEYS[2], last .. '-0', 'n', #placed, 'p', h, 'b', batch)
  -- Old entries go once in a while: a few more or less do not matter.
  if last % 64 < #placed then
    redis.call('XTRIM', KEYS[2], 'MINID', '~', string.format('%d', math.max(0, last - ARGV[4] + 1)))
  end
  redis.call('HSET', KEYS[1], 's', last, 'h', id_of(placed[#placed]))
  redis.call(ARGV[5], KEYS[5], 'E ' .. e .. ' ' .. last .. ' ' .. #placed .. ' ' .. h .. '\n' .. batch)
end
local fields = {}
for client, record in pairs(changed) do
  local last = #fields
  fields[last + 1], fields[last + 2] = ARGV[CLIENTS + client], record
end
if #fields > 0 then redis.call('HSET', KEYS[3], unpack(fields)) end
if is_first_today then
  -- Behind all writing: what is not there yet cannot be given a time to live. The last to go is what says that
  -- there is a log.
  -- A user's own log holds what nobody writes again.
  local days = string.find(KEYS[1], '{~u.', 1, true) and 90 or 30
  redis.call('EXPIRE', KEYS[1], (days + 1) * 86400)
  for key = 2, 4 do redis.call('EXPIRE', KEYS[key], days * 86400) end
end
return {'OK', e, s, h, exceptions}
