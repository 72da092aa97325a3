-- Keeps a beat and sends it to all who listen, both or neither.
-- ARGV, behind the token: seq beat item show_at dwell frame, and the channel.
if order == 0 and (compare(seq, ARGV[3]) > 0 or compare(beat, ARGV[4]) >= 0) then return {'DUP'} end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'rev', ARGV[2], 'seq', ARGV[3], 'beat', ARGV[4],
  'item', ARGV[5], 'show_at', ARGV[6], 'dwell', ARGV[7], 'frame', ARGV[8])
redis.call('PUBLISH', ARGV[9], ARGV[8])
return {'OK'}
