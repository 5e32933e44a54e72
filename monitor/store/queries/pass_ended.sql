-- question: when did the last pass over a platform's posts end, if none was left in the middle since?
-- params: platform, stream (of the passes)
-- columns: ended_at
SELECT moved_at AS ended_at
FROM cursors
WHERE stream = $stream AND value = '' AND NOT EXISTS (FROM checks WHERE platform = $platform AND ended_at IS NULL)
