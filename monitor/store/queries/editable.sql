-- question: which posts of X were read within the hour in which their authors may edit them, and can be edited no longer?
-- params: after (an id), start and end (of when they were made), limit
-- columns: post_id
SELECT post_id
FROM posts
WHERE platform = 'x' AND kind <> 'repost' AND source <> 'import'
    AND TRY_CAST(post_id AS UBIGINT) > $after
    AND observed_at >= $start AND observed_at < $end AND stored_at < observed_at + INTERVAL 1 HOUR
ORDER BY TRY_CAST(post_id AS UBIGINT)
LIMIT $limit
