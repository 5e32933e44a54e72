-- question: who hangs on whom: the posts of [start, end) in scope, hidden ones left out, and the stored posts before it or
--   beside it that they hang on, at any distance?
-- params: start, end, topics, langs, platforms (lists; NULL takes all). Languages restrict which posts are ranked, never
--   who may answer them.
-- columns: key, author (author_key), at (microseconds, observed), replies, quotes, reposts (keys of what it answers, quotes,
--   reposts; 0: nothing), is_ranked (relevant, and no repost), is_within
WITH RECURSIVE within AS MATERIALIZED (
    SELECT
        rowid AS row,
        key,
        (CASE WHEN reply_to IS NULL THEN 0 ELSE parent_key END)::UBIGINT AS replies,
        (CASE WHEN quote_of IS NULL THEN 0 WHEN reply_to IS NULL THEN parent_key
            ELSE md5_number_lower(platform || ' ' || quote_of) END)::UBIGINT AS quotes,
        (CASE WHEN repost_of IS NULL THEN 0 WHEN reply_to IS NULL AND quote_of IS NULL THEN parent_key
            ELSE md5_number_lower(platform || ' ' || repost_of) END)::UBIGINT AS reposts
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND NOT hidden
        AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
), named AS MATERIALIZED (
    FROM (SELECT DISTINCT unnest([replies, quotes, reposts]) AS key FROM within WHERE greatest(replies, quotes, reposts) > 0)
    ANTI JOIN within USING (key)
), above AS (
    SELECT
        p.rowid AS row,
        p.key,
        (CASE WHEN reply_to IS NULL THEN 0 ELSE parent_key END)::UBIGINT AS replies,
        (CASE WHEN quote_of IS NULL THEN 0 WHEN reply_to IS NULL THEN parent_key
            ELSE md5_number_lower(platform || ' ' || quote_of) END)::UBIGINT AS quotes,
        (CASE WHEN repost_of IS NULL THEN 0 WHEN reply_to IS NULL AND quote_of IS NULL THEN parent_key
            ELSE md5_number_lower(platform || ' ' || repost_of) END)::UBIGINT AS reposts
    FROM posts p SEMI JOIN named ON named.key = p.key
    WHERE NOT hidden
    UNION
    SELECT
        p.rowid,
        p.key,
        (CASE WHEN reply_to IS NULL THEN 0 ELSE parent_key END)::UBIGINT,
        (CASE WHEN quote_of IS NULL THEN 0 WHEN reply_to IS NULL THEN parent_key
            ELSE md5_number_lower(platform || ' ' || quote_of) END)::UBIGINT,
        (CASE WHEN repost_of IS NULL THEN 0 WHEN reply_to IS NULL AND quote_of IS NULL THEN parent_key
            ELSE md5_number_lower(platform || ' ' || repost_of) END)::UBIGINT
    FROM posts p
    SEMI JOIN (
        SELECT unnest([replies, quotes, reposts]) AS key FROM above WHERE greatest(replies, quotes, reposts) > 0
    ) n ON n.key = p.key
    WHERE NOT hidden
), found AS (
    SELECT *, true AS is_within FROM within
    UNION ALL
    SELECT *, false FROM above ANTI JOIN within USING (row)
)
SELECT
    found.key,
    author_key AS author,
    epoch_us(observed_at) AS at,
    found.replies,
    found.quotes,
    found.reposts,
    kind <> 'repost' AND model_id IS NOT NULL AND coalesce(relevant, 0) >= 0.5
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und'))) AS is_ranked,
    is_within
FROM found JOIN posts ON posts.rowid = found.row
