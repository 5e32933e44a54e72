-- question: which posts of [start, end) in scope, hidden ones left out, hang on what?
-- params: start, end, topics, langs, platforms (lists; NULL takes all). Languages restrict which posts are ranked, never
--   who may answer them.
-- columns: key, author (author_key), at (microseconds, observed), replies, quotes, reposts (keys of what it answers, quotes,
--   reposts; 0: nothing), is_ranked (relevant, and no repost), is_within (of this window and scope)
SELECT
    key,
    author_key AS author,
    epoch_us(observed_at) AS at,
    (CASE WHEN reply_to IS NULL THEN 0 ELSE parent_key END)::UBIGINT AS replies,
    (CASE WHEN quote_of IS NULL THEN 0 WHEN reply_to IS NULL THEN parent_key
        ELSE md5_number_lower(platform || ' ' || quote_of) END)::UBIGINT AS quotes,
    (CASE WHEN repost_of IS NULL THEN 0 WHEN reply_to IS NULL AND quote_of IS NULL THEN parent_key
        ELSE md5_number_lower(platform || ' ' || repost_of) END)::UBIGINT AS reposts,
    kind <> 'repost' AND model_id IS NOT NULL AND coalesce(relevant, 0) >= 0.5
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und'))) AS is_ranked,
    true AS is_within
FROM posts
WHERE observed_at >= $start AND observed_at < $end AND NOT hidden
    AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
    AND ($platforms IS NULL OR list_contains($platforms, platform))
