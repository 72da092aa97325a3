-- Keeps the board. KEYS, behind the state's: the board, and where it goes when it is not ours.
-- ARGV, behind the token: the board.
local length = redis.pcall('STRLEN', KEYS[3])
if is_foreign(length) then return aside(KEYS[3], KEYS[4]) end
redis.call('SET', KEYS[3], ARGV[3])
return {'OK'}
