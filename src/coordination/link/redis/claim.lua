-- Raises the fence to the claimant's token and tells what stood there; seq and item stay as they are.
-- ARGV, behind the token: the largest frame that is told, in bytes.
if order < 0 or not stored[1] then
  redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'rev', ARGV[2], 'seq', seq, 'beat', '0')
end
if redis.call('HSTRLEN', KEYS[1], 'frame') > tonumber(ARGV[3]) then return {'OK', seq} end
return {'OK', seq, redis.call('HGET', KEYS[1], 'frame')}
