-- question: what do these posts say, and how were they scored?
-- params: keys (of posts)
-- columns: key, and those of posts_one
SELECT
    key, platform, post_id, author_id, author_handle, kind, text, context, lang, created_at, observed_at, edited_at, source,
    matched, likes, reposts, replies, quotes, measured_at, versions, model_id,
    CASE WHEN model_id IS NOT NULL
        THEN COLUMNS('^(relevant|concern|(concern|removal|stance)_(probs|label))$') END
FROM posts
WHERE NOT hidden AND rowid IN (SELECT p.rowid FROM posts p SEMI JOIN (SELECT unnest($keys::UBIGINT[]) AS key) n USING (key))
