-- Gives a log back what a node still has. Everything is checked before anything is written.
-- KEYS: 1 meta  2 log  3 records  4 older records  5 feed
-- ARGV: 1 epoch  2 settling time in ms  3 entries kept  4 PUBLISH or SPUBLISH
--       5 first seq of the run  6 id before it ('' = none)  7 the run, packed ('' = nothing was ever written)
--       8 records below the run: lines of client generation n seq digest
-- Answers: {'EPOCH', head}, {'FORK', epoch, seq, id}, {'HOLE', notice or false, epoch, seq, id},
-- {'OK', notice or false, epoch, seq, id, restored}. A notice was told in the room; the caller tells the others.
local BATCH = 64
-- A client's record, as in publish.lua: generation, n, digest, seq.
local function record_of(generation, n, digest, seq)
  return struct.pack('>I8I8c16I8', tonumber(generation), tonumber(n), digest, tonumber(seq))
end
local function f(number) return string.format('%d', number) end
if e and e ~= ARGV[1] then return {'EPOCH', head()} end
if ARGV[7] == '' then
  redis.call('HDEL', KEYS[1], 'r')
  if not e then
    redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
    redis.call('HSET', KEYS[1], 'e', ARGV[1], 's', '0', 'h', '')
    redis.call('EXPIRE', KEYS[1], 600)
    e = ARGV[1]
  end
  return {'OK', false, e, s, h, 0}
end

local run, first_seq = {}, tonumber(ARGV[5])
each(ARGV[7], first_seq, function(seq, id, header, packed)
  local client, n, generation, digest = string.match(header, '^(.*)/(%d+) (%d+) (%x+)$')
  run[#run + 1] = {seq = seq, id = id, client = client, n = tonumber(n), packed = packed,
    record = record_of(generation, n, digest, seq)}
end)

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left = tonumber(m[4] or '0') - now
local settling = left > 0 and left <= tonumber(ARGV[2])
-- Closes the room, and tells every node to bring what it has.
local function open_round()
  if not settling then redis.call('HSET', KEYS[1], 'q', f(now + ARGV[2])) end
  local place = head()
  local notice = 'H ' .. e .. ' ' .. f(s) .. ' ' .. f(place[4]) .. ' ' .. place[5] .. ' ' .. f(place[6]) .. ' ' .. h
  redis.call(ARGV[4], KEYS[5], notice)
  return notice
end

local records = {}
local function newest(client)
  if records[client] == nil then
    local record = redis.call('HGET', KEYS[3], client) or redis.call('HGET', KEYS[4], client)
    records[client] = record and struct.unpack('>I8', record, 9) or 0
  end
  return records[client]
end

if e then
  if first_seq > s + 1 then return {'HOLE', not settling and open_round() or false, e, s, h} end
  if first_seq == s + 1 and h ~= '' and ARGV[6] ~= h then return {'FORK', e, s, h} end
  local there = {}
  for _, batch in ipairs(redis.call('XRANGE', KEYS[2], f(first_seq) .. '-0', f(first_seq + #run + BATCH) .. '-0')) do
    each(batch[2][6], first_of(batch), function(seq, id) there[seq] = id end)
  end
  if h ~= '' then there[s] = h end
  for _, entry in ipairs(run) do
    local taken
    if entry.seq <= s then
      taken = there[entry.seq] and there[entry.seq] ~= entry.id
    else
      taken = newest(entry.client) >= entry.n
    end
    if taken then return {'FORK', e, s, h} end
  end
else
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
  e, s, h = ARGV[1], first_seq - 1, ARGV[6]
end
redis.call('HDEL', KEYS[1], 'r', 'd')

local function take(entry)
  redis.call('HSET', KEYS[3], entry.client, entry.record)
  records[entry.client] = entry.n
end
-- Appends entries of the run, in batches.
local function append(from, to)
  for begin = from, to, BATCH do
    local packed, last = {}, math.min(begin + BATCH - 1, to)
    for i = begin, last do packed[#packed + 1] = run[i].packed end
    redis.call('XADD', KEYS[2], f(run[last].seq) .. '-0', 'n', #packed,
      'p', begin > 1 and run[begin - 1].id or ARGV[6], 'b', table.concat(packed))
  end
end

-- A shorter run came first: what lies before it goes back in front.
local restored = 0
local front = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
if front and first_of(front) > first_seq then
  local count = first_of(front) - first_seq
  local last = run[count]
  if last and front[2][4] == last.id and s - first_seq + 1 <= tonumber(ARGV[3]) then
    local kept = redis.call('XRANGE', KEYS[2], '-', '+')
    redis.call('DEL', KEYS[2])
    append(1, count)
    for _, batch in ipairs(kept) do redis.call('XADD', KEYS[2], batch[1], unpack(batch[2])) end
    for i = 1, count do
      if newest(run[i].client) < run[i].n then take(run[i]) end
    end
    restored = count
  end
end

local above = math.max(s - first_seq + 2, 1)
if above <= #run then
  append(above, #run)
  for i = above, #run do take(run[i]) end
  s, h = run[#run].seq, run[#run].id
  restored = restored + #run - above + 1
  redis.call('XTRIM', KEYS[2], 'MINID', '~', f(math.max(0, s - ARGV[3] + 1)))
end
for client, generation, n, seq, digest in string.gmatch(ARGV[8], '(%S+) (%d+) (%d+) (%d+) (%x+)\n') do
  if tonumber(seq) < first_seq and newest(client) < tonumber(n) then
    take({client = client, n = tonumber(n), record = record_of(generation, n, digest, seq)})
  end
end
redis.call('HSET', KEYS[1], 'e', e, 's', f(s), 'h', h)
redis.call('EXPIRE', KEYS[1], 31 * 86400)
for key = 2, 4 do redis.call('EXPIRE', KEYS[key], 30 * 86400) end
return {'OK', restored > 0 and open_round() or false, e, s, h, restored}
