-- Sends a text that is not kept to all who listen. ARGV, behind the token: the text, and the channel.
redis.call('PUBLISH', ARGV[4], ARGV[3])
return {'OK'}
