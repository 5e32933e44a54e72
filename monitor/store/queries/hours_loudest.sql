-- question: of whoever posted most in each window [starts[i], ends[i]), how many posts stand in each bucket of [start, end)?
--   Posts and buckets as in hours.
-- params: start, end, seconds (width of a bucket), starts, ends (lists of equal length), topics, langs, platforms (lists;
--   NULL takes all)
-- columns: number (of the window, from 0), bucket, posts
WITH asked AS (
    SELECT
        unnest(range(len($starts::TIMESTAMP[]))) AS number,
        unnest($starts::TIMESTAMP[]) AS loud_start,
        unnest($ends::TIMESTAMP[]) AS loud_end
), told AS NOT MATERIALIZED (
    SELECT observed_at, author_key, sample_weight
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
        AND model_id IS NOT NULL AND relevant >= 0.5
        AND (
            $topics IS NULL OR list_contains($topics, split_part(matched[1], '/', 1))
            OR (len(matched) > 1 AND list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        )
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
), wrote AS (
    SELECT number, author_key, sum(sample_weight) AS posts
    FROM (SELECT * FROM told WHERE observed_at >= list_min($starts::TIMESTAMP[]) AND observed_at < list_max($ends::TIMESTAMP[]))
    JOIN asked ON observed_at >= loud_start AND observed_at < loud_end
    GROUP BY number, author_key
), loudest AS (
    SELECT number, author_key
    FROM wrote
    QUALIFY row_number() OVER (PARTITION BY number ORDER BY posts DESC, author_key) = 1
)
SELECT
    number,
    floor((epoch_us(observed_at) - epoch_us($start::TIMESTAMP)) / ($seconds * 1e6))::INTEGER AS bucket,
    sum(sample_weight) AS posts
FROM told JOIN loudest ON told.author_key = loudest.author_key
GROUP BY number, bucket
ORDER BY number, bucket
