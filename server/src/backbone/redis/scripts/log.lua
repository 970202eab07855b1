-- What the scripts that look at a whole log share; put in front of each.
-- KEYS: 1 meta  2 log
local m = redis.call('HMGET', KEYS[1], 'e', 's', 'h', 'q', 'pe', 'ps')
local e, s, h = m[1], tonumber(m[2] or '0'), m[3] or ''

-- The first seq of a batch: it lies under its last one.
local function first_of(batch)
  return tonumber(string.match(batch[1], '^%d+')) - tonumber(batch[2][2]) + 1
end

local function first()
  local batch = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
  return batch and first_of(batch) or s + 1
end

local function head()
  return {e, s, h, first(), m[5] or '', tonumber(m[6] or '0')}
end

-- Calls visit(seq, id, entry as packed) for each entry of a packed batch that begins at seq.
local function each(packed, seq, visit)
  local from = 1
  while from <= #packed do
    local header, body = struct.unpack('>I2c0', packed, from)
    local length
    length, body = struct.unpack('>I4', packed, body)
    visit(seq, string.match(header, '^%S+'), header, string.sub(packed, from, body + length - 1))
    from, seq = body + length, seq + 1
  end
end

-- The id at a place, where the log knows it.
local function at(seq)
  if seq == s then return h end
  local batch = redis.call('XRANGE', KEYS[2], string.format('%d-0', seq), '+', 'COUNT', 1)[1]
  local found
  if batch and first_of(batch) <= seq then
    each(batch[2][6], first_of(batch), function(place, id) if place == seq then found = id end end)
  end
  return found
end

-- True where another message certainly stands at a place.
local function contradicts(seq, id)
  if id == '' then return false end
  local there = at(seq)
  return there ~= nil and there ~= '' and there ~= id
end
