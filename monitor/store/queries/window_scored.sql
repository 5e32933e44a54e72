-- question: what did each model say of the posts of [start, end), relevant or not? Reposts are left out.
-- params: start, end, topics, langs, platforms (lists; NULL takes all)
-- columns: model_id (NULL: not scored yet), n, weight (sum), squares (sum of squared weights, copies of a text taken
--   together), then weighted sums: relevant_label, concern2_label (concern of 2 or more), removal_label (list by stage: none, considering,
--   committed, done, blocked) and the calibrated scores of the same, relevant_score, concern2_score, removal_score
WITH told AS NOT MATERIALIZED (
    SELECT *
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
        AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
), copied AS (
    SELECT model_id, sum(weight ** 2) AS squares
    FROM (SELECT model_id, sum(sample_weight) AS weight FROM told GROUP BY model_id, coalesce(text_group, key))
    GROUP BY model_id
)
SELECT
    told.model_id,
    count(*) AS n,
    sum(sample_weight) AS weight,
    any_value(squares) AS squares,
    sum(sample_weight * (relevant >= 0.5)::INTEGER) AS relevant_label,
    sum(sample_weight * (concern_label >= 2)::INTEGER) AS concern2_label,
    [sum(sample_weight * (removal_label = 'none')::INTEGER), sum(sample_weight * (removal_label = 'considering')::INTEGER),
        sum(sample_weight * (removal_label = 'committed')::INTEGER), sum(sample_weight * (removal_label = 'done')::INTEGER),
        sum(sample_weight * (removal_label = 'blocked')::INTEGER)] AS removal_label,
    sum(sample_weight * relevant) AS relevant_score,
    sum(sample_weight * (concern_probs[3] + concern_probs[4])) AS concern2_score,
    [sum(sample_weight * removal_probs[1]), sum(sample_weight * removal_probs[2]), sum(sample_weight * removal_probs[3]),
        sum(sample_weight * removal_probs[4]), sum(sample_weight * removal_probs[5])] AS removal_score
FROM told JOIN copied ON copied.model_id IS NOT DISTINCT FROM told.model_id
GROUP BY told.model_id
ORDER BY told.model_id
