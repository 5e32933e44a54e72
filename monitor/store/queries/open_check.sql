-- question: which check of a platform was begun and has not ended?
-- params: platform
-- columns: name, state, job, last, begun_at, asked
SELECT name, state, job, last, begun_at, asked
FROM checks
WHERE platform = $platform AND ended_at IS NULL
ORDER BY begun_at
LIMIT 1
