-- Keeps the board, unless a leader with a higher token has written.
-- KEYS: the state, the board. ARGV: epoch rev (empty: whoever leads), and the board.
local function number(text)
  return type(text) == 'string' and string.match(text, '^0*(%d+)$') or '0'
end
local function greater(a, b)
  if #a ~= #b then return #a > #b end
  return a > b
end
local stored = redis.call('HMGET', KEYS[1], 'epoch', 'rev', 'seq')
local epoch, rev, seq = number(stored[1]), number(stored[2]), number(stored[3])
if ARGV[1] ~= '' and (greater(epoch, ARGV[1]) or (epoch == ARGV[1] and greater(rev, ARGV[2]))) then
  return {'STALE', epoch, rev, seq}
end
redis.call('SET', KEYS[2], ARGV[3])
return {'OK', epoch, rev, seq}
