-- Reads what is kept, as it stood at one moment. KEYS: the state. ARGV: the largest frame that is told, in bytes.
if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
local stored = redis.call('HMGET', KEYS[1], 'epoch', 'rev', 'seq', 'beat')
local length = redis.call('HSTRLEN', KEYS[1], 'frame')
local frame = length <= tonumber(ARGV[1]) and redis.call('HGET', KEYS[1], 'frame')
return {tostring(length), stored[1], stored[2], stored[3], stored[4], frame}
