-- question: what was labelled in each slice of time that a sample read, of the posts of [start, end)? Reposts are left out.
-- params: start, end, topics, langs, platforms (lists; NULL takes all)
-- columns: weight (of each post), posts, then how many of them are labelled relevant, concern2 (concern of 2 or more) and
--   removal (list by stage, in the codebook's order). A sampled post whose slice is not known stands for itself.
WITH topics AS (
    SELECT *, unnest(list_distinct(list_transform(matched, lambda m: split_part(m, '/', 1)))) AS topic
    FROM posts
    WHERE sample_weight > 1
), told AS (
    SELECT
        p.*, coalesce(p.observed_at < s."end", false) AS is_in,
        CASE WHEN p.observed_at < s."end" THEN s.sample || s.start ELSE p.key::VARCHAR END AS slice
    FROM topics p ASOF LEFT JOIN (SELECT split_part(sample, ':', 3) AS topic, * FROM slices) s
        ON p.topic = s.topic AND p.sample_weight = s.weight AND p.observed_at >= s.start
    -- Of a post on two topics that were both sampled, the slice of the topic that is asked for.
    QUALIFY row_number() OVER (
        PARTITION BY key ORDER BY is_in DESC, coalesce(list_contains($topics, p.topic), false) DESC, p.topic) = 1
)
SELECT
    sample_weight AS weight,
    count(*) AS posts,
    count(*) FILTER (relevant >= 0.5) AS relevant,
    count(*) FILTER (concern_label >= 2) AS concern2,
    [count(*) FILTER (removal_label = 'none'), count(*) FILTER (removal_label = 'considering'),
        count(*) FILTER (removal_label = 'committed'), count(*) FILTER (removal_label = 'done'),
        count(*) FILTER (removal_label = 'blocked')] AS removal
FROM told
WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden AND model_id IS NOT NULL
    AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
    AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
    AND ($platforms IS NULL OR list_contains($platforms, platform))
GROUP BY slice, sample_weight
ORDER BY slice, sample_weight
