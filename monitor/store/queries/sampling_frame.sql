-- question: which posts can be drawn, and how much does the model doubt its labels of each?
-- params: topics (list; NULL takes all), start, end (NULL: no bound)
-- columns: platform, post_id, doubt (0 certain, 3.5 the most)
SELECT
    platform, post_id,
    least(relevant, 1 - relevant) + 3 - list_max(concern_probs) - list_max(removal_probs) - list_max(stance_probs) AS doubt
FROM posts
WHERE model_id IS NOT NULL AND NOT hidden AND kind <> 'repost'
    AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
    AND ($start::TIMESTAMP IS NULL OR observed_at >= $start) AND ($end::TIMESTAMP IS NULL OR observed_at < $end)
ORDER BY platform, post_id
