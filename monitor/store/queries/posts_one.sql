-- question: what does one post say, and how was it scored?
-- params: platform, post_id
-- columns: see the list; counts are the platform's own, NULL where not measured
SELECT
    platform, post_id, author_id, author_handle, kind, text, context, lang, created_at, observed_at, edited_at, source,
    matched, likes, reposts, replies, quotes, measured_at, versions, model_id,
    CASE WHEN model_id IS NOT NULL
        THEN COLUMNS('^(relevant|concern|(concern|removal|stance)_(probs|label))$') END
FROM posts
WHERE platform = $platform AND post_id = $post_id AND NOT hidden
