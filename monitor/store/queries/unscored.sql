-- question: which posts has no model scored yet, newest first?
-- params: limit
-- columns: platform, post_id, text, context, matched, revision
SELECT platform, post_id, text, context, matched, revision
FROM posts
WHERE model_id IS NULL AND kind <> 'repost' AND NOT hidden
ORDER BY observed_at DESC
LIMIT $limit
