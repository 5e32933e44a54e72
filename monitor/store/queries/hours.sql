-- question: what was said in each bucket of [start, end), in every measure? Posts as in window_series, weighted by their
--   sample_weight; bucket 0 begins at start, empty ones are left out. Authors and texts are those of a bucket. Most posts
--   matched one rule: asking the first one before all halves the time, as does grouping instead of count(DISTINCT).
-- params: start, end, seconds (width of a bucket), topics, langs, platforms (lists; NULL takes all), without (topics whose
--   posts are left out; NULL for none)
-- columns: bucket, posts, authors, texts, concern (sum), concern2 (posts at 2 or more), considering, committed, done, blocked,
--   searched (posts that only a search or import found, of all), waiting (posts without a score, relevant or not)
WITH told AS (
    SELECT
        floor((epoch_us(observed_at) - epoch_us($start::TIMESTAMP)) / ($seconds * 1e6))::INTEGER AS bucket,
        author_key, coalesce(text_group, key) AS text, sample_weight, concern, concern_label, removal_label, model_id,
        source <> 'live' AND NOT coalesce(list_contains(sources, 'live'), false) AS is_searched
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
        AND (model_id IS NULL OR relevant >= 0.5)
        AND (
            $topics IS NULL OR list_contains($topics, split_part(matched[1], '/', 1))
            OR (len(matched) > 1 AND list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        )
        AND ($without IS NULL OR NOT list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $without))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
), said AS NOT MATERIALIZED (
    SELECT * FROM told WHERE model_id IS NOT NULL
), unscored AS (
    SELECT bucket, sum(sample_weight) AS waiting FROM told WHERE model_id IS NULL GROUP BY bucket
), sums AS (
    SELECT
        bucket,
        sum(sample_weight) AS posts,
        coalesce(sum(sample_weight * concern), 0) AS concern,
        coalesce(sum(sample_weight) FILTER (concern_label >= 2), 0) AS concern2,
        coalesce(sum(sample_weight) FILTER (removal_label = 'considering'), 0) AS considering,
        coalesce(sum(sample_weight) FILTER (removal_label = 'committed'), 0) AS committed,
        coalesce(sum(sample_weight) FILTER (removal_label = 'done'), 0) AS done,
        coalesce(sum(sample_weight) FILTER (removal_label = 'blocked'), 0) AS blocked,
        coalesce(sum(sample_weight) FILTER (is_searched), 0) AS searched
    FROM said
    GROUP BY bucket
), authors AS (
    SELECT bucket, count(*)::DOUBLE AS authors FROM (SELECT DISTINCT bucket, author_key FROM said) GROUP BY bucket
), texts AS (
    SELECT bucket, count(*)::DOUBLE AS texts FROM (SELECT DISTINCT bucket, text FROM said) GROUP BY bucket
)
SELECT
    bucket, coalesce(posts, 0) AS posts, coalesce(authors, 0) AS authors, coalesce(texts, 0) AS texts,
    coalesce(concern, 0) AS concern, coalesce(concern2, 0) AS concern2, coalesce(considering, 0) AS considering,
    coalesce(committed, 0) AS committed, coalesce(done, 0) AS done, coalesce(blocked, 0) AS blocked,
    coalesce(searched, 0) AS searched, coalesce(waiting, 0) AS waiting
FROM sums JOIN authors USING (bucket) JOIN texts USING (bucket) FULL JOIN unscored USING (bucket)
ORDER BY bucket
