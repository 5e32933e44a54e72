-- question: which posts has this model not scored yet, newest first?
-- params: model_id, limit
-- columns: platform, post_id, text, context, matched, revision
SELECT platform, post_id, text, context, matched, revision
FROM posts
WHERE model_id IS DISTINCT FROM $model_id AND kind <> 'repost' AND NOT hidden
ORDER BY (model_id IS NULL) DESC, observed_at DESC
LIMIT $limit
