-- question: which posts can be drawn, and how much does the model doubt its labels of each?
-- params: topics (list; NULL takes all), start, end (NULL: no bound)
-- columns: platform, post_id, weight, doubt (0 certain, 3.5 the most), and the scores relevant, concern2 (of 2 or more),
--   considering, committed, done, blocked
SELECT
    platform, post_id,
    least(relevant, 1 - relevant) + 3 - list_max(concern_probs) - list_max(removal_probs) - list_max(stance_probs) AS doubt,
    sample_weight AS weight, relevant, concern_probs[3] + concern_probs[4] AS concern2, removal_probs[2] AS considering,
    removal_probs[3] AS committed, removal_probs[4] AS done, removal_probs[5] AS blocked
FROM posts
WHERE model_id IS NOT NULL AND NOT hidden AND kind <> 'repost'
    AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
    AND ($start::TIMESTAMP IS NULL OR observed_at >= $start) AND ($end::TIMESTAMP IS NULL OR observed_at < $end)
ORDER BY platform, post_id
