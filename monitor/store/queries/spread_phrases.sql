-- question: which texts of relevant posts in [start, end) stand on several platforms, word for word or nearly?
-- params: start, end, topics, langs, platforms (lists; NULL takes all), limit (texts)
-- columns: what (the text group, as text), platform, posts, authors, first_at, first_key. Two or more rows for each text;
--   texts of a few words are many people's own and left out.
WITH met AS (
    SELECT key, author_key, platform, observed_at, text_group
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
        AND model_id IS NOT NULL AND relevant >= 0.5 AND text_group IS NOT NULL
        AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
), shared AS (
    SELECT text_group, count(*) AS n
    FROM met
    WHERE text_group IN (SELECT text_group FROM text_groups)
    GROUP BY text_group
    HAVING count(DISTINCT platform) > 1
    ORDER BY n DESC, text_group
    LIMIT $limit
)
SELECT
    text_group::VARCHAR AS what, platform, count(*) AS posts, count(DISTINCT author_key) AS authors,
    min(observed_at) AS first_at, arg_min(key, (observed_at, key)) AS first_key
FROM met JOIN shared USING (text_group)
GROUP BY text_group, n, platform
ORDER BY n DESC, text_group, first_at, platform
