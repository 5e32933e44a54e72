-- question: what was said in [start, middle) and in [middle, end)? Posts are relevant originals, replies and quotes;
--   reposts are those of relevant posts; searched counts posts that did not come live, which are survivors only.
-- params: start, middle, end, topics, langs, platforms (lists; NULL takes all)
-- columns: later, posts, authors, unscored, searched, concern_sum, concern_squares, none, considering, committed, done,
--   blocked, reposts
WITH told AS (
    SELECT
        observed_at >= $middle AS later,
        count(*) FILTER (model_id IS NOT NULL) AS posts,
        count(DISTINCT author_key) FILTER (model_id IS NOT NULL) AS authors,
        count(*) FILTER (model_id IS NULL) AS unscored,
        count(*) FILTER (model_id IS NOT NULL AND source <> 'live') AS searched,
        coalesce(sum(concern) FILTER (model_id IS NOT NULL), 0) AS concern_sum,
        coalesce(sum(concern * concern) FILTER (model_id IS NOT NULL), 0) AS concern_squares,
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
    GROUP BY later
), shared AS (
    SELECT repost.observed_at >= $middle AS later, count(*) AS reposts
    FROM posts repost JOIN posts post ON post.key = repost.parent_key
    WHERE repost.observed_at >= $start AND repost.observed_at < $end AND repost.kind = 'repost' AND NOT repost.hidden
        AND NOT post.hidden AND post.model_id IS NOT NULL AND post.relevant >= 0.5
        AND ($topics IS NULL OR list_has_any(list_transform(repost.matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(post.lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, repost.platform))
    GROUP BY later
)
SELECT
    side.later,
    told.* EXCLUDE (later),
    coalesce(shared.reposts, 0) AS reposts
FROM (VALUES (false), (true)) AS side (later)
LEFT JOIN told ON told.later = side.later
LEFT JOIN shared ON shared.later = side.later
ORDER BY side.later
