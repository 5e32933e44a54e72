-- question: in which bucket of [start, end) did authors first say something on the topics? Posts as in hours.sql, since the
--   first that is stored; bucket 0 begins at start, empty ones are left out.
-- params: start, end, seconds (width of a bucket), topics, langs, platforms (lists; NULL takes all)
-- columns: bucket, authors
SELECT
    floor((epoch_us(first_at) - epoch_us($start::TIMESTAMP)) / ($seconds * 1e6))::INTEGER AS bucket,
    count(*)::DOUBLE AS authors
FROM (
    SELECT min(observed_at) AS first_at
    FROM posts
    WHERE observed_at < $end AND kind <> 'repost' AND NOT hidden AND model_id IS NOT NULL AND relevant >= 0.5
        AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
    GROUP BY author_key
)
WHERE first_at >= $start
GROUP BY bucket
ORDER BY bucket
