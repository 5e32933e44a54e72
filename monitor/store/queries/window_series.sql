-- question: what was said in each bucket of [start, end)? Bucket 0 begins at origin, those before it have negative
--   numbers, empty ones are left out. Posts are relevant originals, replies and quotes; reposts are those of relevant
--   posts; searched counts posts that did not come live, which are survivors only.
--   A post of a sample counts as many times as its sample_weight says.
--   What was reposted is found by its keys alone and then read by its rows, a third of the time.
-- params: start, end, origin, seconds (width of a bucket), topics, langs, platforms (lists; NULL takes all),
--   without (keys of posts to leave out; NULL leaves out none)
-- columns: bucket, posts, unscored, searched, concern_sum (all weighted sums), concern_cross (with the square of the
--   weight), concern_squares (of both squares), weight_squares, none, considering, committed, done, blocked, reposts
WITH told AS (
    SELECT
        floor((epoch_us(observed_at) - epoch_us($origin::TIMESTAMP)) / ($seconds * 1e6))::INTEGER AS bucket,
        sum(sample_weight) FILTER (model_id IS NOT NULL) AS posts,
        sum(sample_weight) FILTER (model_id IS NULL) AS unscored,
        sum(sample_weight) FILTER (model_id IS NOT NULL AND source <> 'live') AS searched,
        sum(sample_weight * concern) FILTER (model_id IS NOT NULL) AS concern_sum,
        sum(sample_weight ** 2 * concern) FILTER (model_id IS NOT NULL) AS concern_cross,
        sum((sample_weight * concern) ** 2) FILTER (model_id IS NOT NULL) AS concern_squares,
        sum(sample_weight ** 2) FILTER (model_id IS NOT NULL) AS weight_squares,
        sum(sample_weight) FILTER (model_id IS NOT NULL AND removal_label = 'none') AS none,
        sum(sample_weight) FILTER (model_id IS NOT NULL AND removal_label = 'considering') AS considering,
        sum(sample_weight) FILTER (model_id IS NOT NULL AND removal_label = 'committed') AS committed,
        sum(sample_weight) FILTER (model_id IS NOT NULL AND removal_label = 'done') AS done,
        sum(sample_weight) FILTER (model_id IS NOT NULL AND removal_label = 'blocked') AS blocked
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
        AND (model_id IS NULL OR relevant >= 0.5)
        AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
        AND key NOT IN (SELECT unnest($without::UBIGINT[]))
    GROUP BY bucket
), again AS MATERIALIZED (
    SELECT parent_key, observed_at, sample_weight
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND kind = 'repost' AND NOT hidden
        AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
), reposted AS MATERIALIZED (
    SELECT rowid AS row, key FROM posts SEMI JOIN again ON again.parent_key = posts.key
), shared AS (
    SELECT
        floor((epoch_us(again.observed_at) - epoch_us($origin::TIMESTAMP)) / ($seconds * 1e6))::INTEGER AS bucket,
        sum(again.sample_weight) AS reposts
    FROM again JOIN reposted ON reposted.key = again.parent_key JOIN posts post ON post.rowid = reposted.row
    WHERE NOT post.hidden AND post.model_id IS NOT NULL AND post.relevant >= 0.5
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(post.lang, '-', 1), 'und')))
        AND post.key NOT IN (SELECT unnest($without::UBIGINT[]))
    GROUP BY bucket
)
SELECT coalesce(told.bucket, shared.bucket) AS bucket, told.* EXCLUDE (bucket), shared.reposts
FROM told FULL JOIN shared ON shared.bucket = told.bucket
ORDER BY 1
