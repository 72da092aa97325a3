-- The head of every script that writes: reads what is stored and orders the writer against it.
-- KEYS: the state, and where it goes when it is not ours. ARGV: the writer's epoch and rev.
-- Numbers are compared as decimal texts, which is exact where Lua's own numbers are not.
local function compare(a, b)
  if #a ~= #b then return #a < #b and -1 or 1 end
  if a == b then return 0 end
  return a < b and -1 or 1
end
local function number(text)
  if not text then return '0' end
  local digits = string.match(text, '^0*(%d+)$')
  return digits and compare(digits, '18446744073709551615') <= 0 and digits
end
local function aside(key, bad)
  redis.call('RENAME', key, bad)
  return {'FOREIGN', key}
end
local function is_foreign(answer)
  return type(answer) == 'table' and answer.err and string.find(answer.err, 'WRONGTYPE', 1, true)
end
local stored = redis.pcall('HMGET', KEYS[1], 'epoch', 'rev', 'seq', 'beat')
if is_foreign(stored) then return aside(KEYS[1], KEYS[2]) end
if stored.err then return stored end
local epoch, rev, seq, beat = number(stored[1]), number(stored[2]), number(stored[3]), number(stored[4])
if not (epoch and rev and seq and beat) or not stored[1] and redis.call('EXISTS', KEYS[1]) == 1 then
  return aside(KEYS[1], KEYS[2])
end
local order = compare(epoch, ARGV[1])
if order == 0 then order = compare(rev, ARGV[2]) end
if order > 0 then return {'STALE', epoch, rev} end
