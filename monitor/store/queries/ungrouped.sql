-- question: which posts have no text group yet, oldest first?
-- params: limit
-- columns: key, revision, text
SELECT key, revision, text
FROM posts
WHERE text_group IS NULL AND kind <> 'repost' AND NOT hidden
ORDER BY observed_at, key
LIMIT $limit
