-- Keeps the turn that is on, unless a leader with a higher token has written.
-- KEYS: the state. ARGV: epoch rev seq item show_at dwell frame, and the channel.
-- Numbers are compared as decimal texts, which is exact where Lua's own numbers are not.
local function number(text)
  return type(text) == 'string' and string.match(text, '^0*(%d+)$') or '0'
end
local function compare(a, b)
  if #a ~= #b then return #a < #b and -1 or 1 end
  if a == b then return 0 end
  return a < b and -1 or 1
end
local stored = redis.call('HMGET', KEYS[1], 'epoch', 'rev', 'seq')
local epoch, rev, seq = number(stored[1]), number(stored[2]), number(stored[3])
local order = compare(epoch, ARGV[1])
if order == 0 then order = compare(rev, ARGV[2]) end
if order > 0 then return {'STALE', epoch, rev, seq} end
if order == 0 and stored[3] and compare(seq, ARGV[3]) >= 0 then return {'DUP', epoch, rev, seq} end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'rev', ARGV[2], 'seq', ARGV[3], 'item', ARGV[4],
  'show_at', ARGV[5], 'dwell', ARGV[6], 'frame', ARGV[7])
redis.call('PUBLISH', ARGV[8], ARGV[7])
return {'OK', ARGV[1], ARGV[2], ARGV[3]}
