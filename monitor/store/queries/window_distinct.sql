-- question: how many authors and how many distinct texts are behind the relevant posts of each bucket of [start, end)?
--   Buckets, posts and parameters as in window_series. A post that is not grouped yet is a text of its own. An author of
--   two stages counts once in each of them, so stages do not add up; neither do buckets.
-- params: start, end, origin, seconds, topics, langs, platforms (lists; NULL takes all), without (keys of posts to leave
--   out; NULL leaves out none)
-- columns: bucket, unit ('authors' or 'texts'), n, none, considering, committed, done, blocked, leaving (any but none)
WITH met AS (
    SELECT
        floor((epoch_us(observed_at) - epoch_us($origin::TIMESTAMP)) / ($seconds * 1e6))::INTEGER AS bucket,
        author_key,
        coalesce(text_group, key) AS text_group,
        removal_label
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
        AND model_id IS NOT NULL AND relevant >= 0.5
        AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
        AND key NOT IN (SELECT unnest($without::UBIGINT[]))
), staged AS (
    SELECT bucket, 'authors' AS unit, author_key AS who, removal_label FROM met GROUP BY ALL
    UNION ALL
    SELECT bucket, 'texts', text_group, removal_label FROM met GROUP BY ALL
)
SELECT
    bucket,
    unit,
    count(DISTINCT who) AS n,
    count(*) FILTER (removal_label = 'none') AS none,
    count(*) FILTER (removal_label = 'considering') AS considering,
    count(*) FILTER (removal_label = 'committed') AS committed,
    count(*) FILTER (removal_label = 'done') AS done,
    count(*) FILTER (removal_label = 'blocked') AS blocked,
    count(DISTINCT who) FILTER (removal_label <> 'none') AS leaving
FROM staged
GROUP BY bucket, unit
ORDER BY bucket, unit
