-- question: what do the posts of [start, end) on these topics say, and the stored posts that they hang on?
-- params: start, end, topics (list)
-- columns: key, parents (keys of what it answers, quotes and reposts), is_within, platform, kind, text, lang, raw, matched
WITH RECURSIVE linked AS (
    SELECT
        *,
        list_filter(
            [md5_number_lower(platform || ' ' || id) FOR id IN [reply_to, quote_of, repost_of]], lambda p: p IS NOT NULL
        ) AS parents,
        observed_at >= $start AND observed_at < $end AND NOT hidden AS is_within
    FROM posts
), found AS (
    SELECT key, parents FROM linked
    WHERE is_within AND list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics)
    UNION
    SELECT p.key, p.parents
    FROM (SELECT unnest(parents) AS key FROM found) f JOIN linked p ON p.key = f.key
)
SELECT p.key, p.parents, is_within, platform, kind, text, lang, raw, matched
FROM linked p SEMI JOIN found ON found.key = p.key
