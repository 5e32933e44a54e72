-- question: when did the one account post that posted most in [loud_start, loud_end)? Hours and posts as in hourly.
-- params: start, end, loud_start, loud_end, topics, langs, platforms (lists; NULL takes all)
-- columns: hour, posts
WITH met AS (
    SELECT observed_at, author_key, sample_weight
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
        AND model_id IS NOT NULL AND relevant >= 0.5
        AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
), loudest AS (
    SELECT author_key
    FROM met
    WHERE observed_at >= $loud_start AND observed_at < $loud_end
    GROUP BY author_key
    ORDER BY sum(sample_weight) DESC, author_key
    LIMIT 1
)
SELECT
    floor((epoch_us(observed_at) - epoch_us($start::TIMESTAMP)) / 3.6e9)::INTEGER AS hour,
    sum(sample_weight) AS posts
FROM met SEMI JOIN loudest USING (author_key)
GROUP BY hour
ORDER BY hour
