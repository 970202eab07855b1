-- The script that was tried before publish.lua, as it was: what publish.lua is measured against.
-- Publishes a batch to one room. Nothing is written unless the room answers OK.
-- KEYS: 1 meta 2 log 3 channel 4.. producer records          (all share one {tag})
-- ARGV: 1 known_epoch 2 known_seq 3 known_id 4 new_epoch ('' = may not create) 5 maxlen 6 log_ttl 7 dedupe_ttl 8 PUBLISH|SPUBLISH
--   then 7 per item: index in KEYS, generation, n, id, acked_n, acked_seq, body ('' = void: the number is used up, no entry)
-- Record: generation:n:seq. Answer: a room's word, or {'OK', epoch, seq, id, {item answers}}
local m = redis.call('hmget', KEYS[1], 'e', 's', 'h', 'q')
local e, s, h, q = m[1], tonumber(m[2] or '0'), m[3] or '', m[4]
if q then
  local t = redis.call('time')
  local left = tonumber(q) - (t[1] * 1000 + math.floor(t[2] / 1000))
  if left > 0 then return {'SETTLING', left} end
  redis.call('hdel', KEYS[1], 'q')
end
local function at(k) local r = redis.call('xrange', KEYS[2], k..'-0', k..'-0'); return r[1] and r[1][2] end
if ARGV[1] ~= '' then
  local ks = tonumber(ARGV[2])
  if e and e ~= ARGV[1] then return {'EPOCH', e, s, h} end
  if not e and ARGV[4] == '' then return {'LOST'} end
  if e and s < ks then return {'BEHIND', e, s, h} end
  if e and ks > 0 then
    local id = h
    if s > ks then local f = at(ARGV[2]); id = f and f[2] or ARGV[3] end
    if id ~= ARGV[3] then return {'FORK', e, s, h} end
  end
elseif not e and ARGV[4] == '' then return {'NONE'} end
if not e then
  e = ARGV[4]; s = 0; h = ''
  redis.call('del', KEYS[2])
  redis.call('hset', KEYS[1], 'e', e, 's', '0', 'h', '', 'pe', ARGV[1], 'ps', ARGV[2])
end
local out, wrote = {}, false
for i = 9, #ARGV, 7 do
  local key, gen, n, id, an, as, body = KEYS[tonumber(ARGV[i])], tonumber(ARGV[i+1]), tonumber(ARGV[i+2]), ARGV[i+3], tonumber(ARGV[i+4]), tonumber(ARGV[i+5]), ARGV[i+6]
  local d = redis.call('get', key)
  local dg, dn, ds, a = 0, nil, 0, nil
  if d then dg, dn, ds = string.match(d, '^(%d+):(%d+):(%d+)$'); dg, dn, ds = tonumber(dg), tonumber(dn), tonumber(ds) end
  if gen < dg then a = {'FENCED'}
  elseif dn and n <= dn then a = {'DUP', n == dn and ds or 0}
  elseif body == '' then redis.call('set', key, gen..':'..ARGV[i+2]..':0', 'EX', ARGV[7]); a = {'OK', 0}
  elseif dn and dn < an then a = {'BACK', dn}
  elseif dn and n ~= dn + 1 then a = {'GAP', dn}
  elseif not dn and n ~= an + 1 then a = {'GAP', an}
  elseif not dn and as > s then a = {'BACK', 0}
  else
    if not dn and as > 0 then local f = at(ARGV[i+5]); if f and f[4] ~= key..'/'..an then a = {'BACK', 0} end end
    if not a then
      local z = string.format('%.0f', s + 1)
      redis.call('xadd', KEYS[2], 'MAXLEN', '~', ARGV[5], z..'-0', 'i', id, 'c', key..'/'..ARGV[i+2], 'p', h, 'd', body)
      redis.call('set', key, gen..':'..ARGV[i+2]..':'..z, 'EX', ARGV[7])
      redis.call(ARGV[8], KEYS[3], cmsgpack.pack({e, s + 1, id, h, body}))
      s = s + 1; h = id; wrote = true; a = {'OK', s}
    end
  end
  out[#out+1] = a
end
if wrote then
  redis.call('hset', KEYS[1], 's', string.format('%.0f', s), 'h', h)
  redis.call('expire', KEYS[2], ARGV[6])
end
return {'OK', e, s, h, out}
