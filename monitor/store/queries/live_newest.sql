-- question: which relevant posts, or posts not scored yet, came last in [start, end)?
-- params: start, end, topics, langs, platforms (lists; NULL takes all), limit
-- columns: those of posts_one
SELECT
    platform, post_id, author_id, author_handle, kind, text, context, lang, created_at, observed_at, edited_at, source,
    matched, likes, reposts, replies, quotes, measured_at, versions, model_id,
    CASE WHEN model_id IS NOT NULL
        THEN COLUMNS('^(relevant|concern|(concern|removal|stance)_(probs|label))$') END
FROM posts
WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
    AND (model_id IS NULL OR relevant >= 0.5)
    AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
    AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
    AND ($platforms IS NULL OR list_contains($platforms, platform))
ORDER BY observed_at DESC, key
LIMIT $limit
