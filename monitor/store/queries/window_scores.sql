-- question: which calibrated scores have the posts of [start, end), and how many? Posts as in window_scored that have a score;
--   those with nearly the same one are a row.
-- params: start, end, topics, langs, platforms (lists; NULL takes all)
-- columns: outcome (relevant, concern2, removal), weight, scores (list by class: their mean in the row)
WITH told AS (
    SELECT
        sample_weight AS weight, relevant, concern_probs[3] + concern_probs[4] AS clear, removal_probs[1] AS none,
        removal_probs[2] AS considering, removal_probs[3] AS committed, removal_probs[4] AS done, removal_probs[5] AS blocked
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden AND model_id IS NOT NULL
        AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
)
SELECT 'relevant' AS outcome, sum(weight) AS weight, [1 - sum(weight * relevant) / sum(weight), sum(weight * relevant) / sum(weight)] AS scores
FROM told GROUP BY round(relevant * 100)
UNION ALL
SELECT 'concern2', sum(weight), [1 - sum(weight * clear) / sum(weight), sum(weight * clear) / sum(weight)]
FROM told GROUP BY round(clear * 100)
UNION ALL
SELECT 'removal', sum(weight), [sum(weight * none) / sum(weight), sum(weight * considering) / sum(weight),
    sum(weight * committed) / sum(weight), sum(weight * done) / sum(weight), sum(weight * blocked) / sum(weight)]
FROM told GROUP BY round(considering * 20), round(committed * 20), round(done * 20), round(blocked * 20)
