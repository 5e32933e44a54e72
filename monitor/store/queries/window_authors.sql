-- question: how many authors wrote relevant posts in [start, origin) and in [origin, end)?
-- params: start, end, origin, topics, langs, platforms (lists; NULL takes all), without (keys of posts to leave out)
-- columns: before, after
SELECT
    count(DISTINCT author_key) FILTER (observed_at < $origin) AS before,
    count(DISTINCT author_key) FILTER (observed_at >= $origin) AS after
FROM posts
WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
    AND model_id IS NOT NULL AND relevant >= 0.5
    AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
    AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
    AND ($platforms IS NULL OR list_contains($platforms, platform))
    AND key NOT IN (SELECT unnest($without::UBIGINT[]))
