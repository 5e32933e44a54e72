-- question: what was said in each bucket of [start, end)? Bucket 0 begins at origin, those before it have negative
--   numbers, empty ones are left out. Posts are relevant originals, replies and quotes; reposts are those of relevant
--   posts; searched counts posts that did not come live, which are survivors only.
-- params: start, end, origin, seconds (width of a bucket), topics, langs, platforms (lists; NULL takes all),
--   without (keys of posts to leave out; NULL leaves out none)
-- columns: bucket, posts, unscored, searched, concern_sum, concern_squares, none, considering, committed, done, blocked,
--   reposts
WITH told AS (
    SELECT
        floor((epoch_us(observed_at) - epoch_us($origin::TIMESTAMP)) / ($seconds * 1e6))::INTEGER AS bucket,
        count(*) FILTER (model_id IS NOT NULL) AS posts,
        count(*) FILTER (model_id IS NULL) AS unscored,
        count(*) FILTER (model_id IS NOT NULL AND source <> 'live') AS searched,
        sum(concern) FILTER (model_id IS NOT NULL) AS concern_sum,
        sum(concern * concern) FILTER (model_id IS NOT NULL) AS concern_squares,
        count(*) FILTER (model_id IS NOT NULL AND removal_label = 'none') AS none,
        count(*) FILTER (model_id IS NOT NULL AND removal_label = 'considering') AS considering,
        count(*) FILTER (model_id IS NOT NULL AND removal_label = 'committed') AS committed,
        count(*) FILTER (model_id IS NOT NULL AND removal_label = 'done') AS done,
        count(*) FILTER (model_id IS NOT NULL AND removal_label = 'blocked') AS blocked
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
        AND (model_id IS NULL OR relevant >= 0.5)
        AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
        AND key NOT IN (SELECT unnest($without::UBIGINT[]))
    GROUP BY bucket
), shared AS (
    SELECT
        floor((epoch_us(repost.observed_at) - epoch_us($origin::TIMESTAMP)) / ($seconds * 1e6))::INTEGER AS bucket,
        count(*) AS reposts
    FROM posts repost JOIN posts post ON post.key = repost.parent_key
    WHERE repost.observed_at >= $start AND repost.observed_at < $end AND repost.kind = 'repost' AND NOT repost.hidden
        AND NOT post.hidden AND post.model_id IS NOT NULL AND post.relevant >= 0.5
        AND ($topics IS NULL OR list_has_any(list_transform(repost.matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(post.lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, repost.platform))
        AND post.key NOT IN (SELECT unnest($without::UBIGINT[]))
    GROUP BY bucket
)
SELECT coalesce(told.bucket, shared.bucket) AS bucket, told.* EXCLUDE (bucket), shared.reposts
FROM told FULL JOIN shared ON shared.bucket = told.bucket
ORDER BY 1
