-- question: which posts have scores, but none by this model, newest first?
-- params: model_id, limit
-- columns: platform, post_id, text, context, matched, revision
WITH old AS (SELECT * FROM posts WHERE model_id <> $model_id AND kind <> 'repost' AND NOT hidden)
SELECT platform, post_id, text, context, matched, revision
FROM old
ANTI JOIN (SELECT key, revision FROM scores WHERE model_id = $model_id AND concern_label IS NOT NULL) s
    ON old.key = s.key AND old.revision = s.revision
ORDER BY observed_at DESC
LIMIT $limit
