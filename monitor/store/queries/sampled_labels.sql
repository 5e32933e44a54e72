-- question: which posts of the samples lie in [start, end), with what chance, and what did people say of each?
-- params: start, end, topics, langs, platforms (lists; NULL takes all), codebook (version)
-- columns: sample, method, late (share of the window's scored posts that were stored after the draw), post_id, platform, weight, chance (of being drawn), drawn and labelled (of the whole sample), scores,
--   annotator, relevant, concern, removal, stance (NULL: nobody labelled it as it stands now)
WITH said AS (
    SELECT a.* FROM annotations a JOIN posts p ON p.key = a.key AND p.revision = a.revision
    WHERE a.codebook = $codebook
), told AS (
    SELECT s.name, count(*) AS drawn, count(*) FILTER (s.key IN (SELECT key FROM said)) AS labelled
    FROM samples s JOIN posts p ON p.key = s.key
    WHERE NOT p.hidden
    GROUP BY s.name
), window_posts AS (
    SELECT stored_at, sample_weight
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden AND model_id IS NOT NULL
        AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
), late AS (
    SELECT name, coalesce(sum(sample_weight) FILTER (stored_at > drawn_at), 0) / sum(sample_weight) AS late
    FROM (SELECT name, max(drawn_at) AS drawn_at FROM samples GROUP BY name), window_posts
    GROUP BY name
)
SELECT
    s.name AS sample, s.method, late.late, p.platform, p.post_id, p.sample_weight AS weight, s.probability AS chance,
    told.drawn, told.labelled,
    p.relevant AS relevant_score, p.concern_probs[3] + p.concern_probs[4] AS concern2_score, p.removal_probs AS removal_score,
    a.annotator, a.relevant, a.concern, a.removal, a.stance
FROM samples s
JOIN told ON told.name = s.name AND told.labelled > 0
JOIN late ON late.name = s.name
JOIN posts p ON p.key = s.key
LEFT JOIN said a ON a.key = p.key
WHERE p.observed_at >= $start AND p.observed_at < $end AND p.kind <> 'repost' AND NOT p.hidden AND p.model_id IS NOT NULL
    AND ($topics IS NULL OR list_has_any(list_transform(p.matched, lambda m: split_part(m, '/', 1)), $topics))
    AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(p.lang, '-', 1), 'und')))
    AND ($platforms IS NULL OR list_contains($platforms, p.platform))
ORDER BY s.name, p.platform, p.post_id, a.annotator
