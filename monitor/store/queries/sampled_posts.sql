-- question: which originals, replies and quotes on a topic lie in the slices of a sample, and what do they say?
--   Only what a rule matches and search or the stream found: the census counts no other.
-- params: sample, platform, topic
-- columns: slice (0 is the earliest), stratum, weight, scored, relevant, leaving (any removal stage but none)
WITH slice AS (
    SELECT row_number() OVER (ORDER BY start) - 1 AS slice, start, "end", stratum, weight
    FROM slices WHERE sample = $sample
)
SELECT
    s.slice,
    s.stratum,
    s.weight,
    p.model_id IS NOT NULL AS scored,
    coalesce(p.relevant >= 0.5, false) AS relevant,
    coalesce(p.relevant >= 0.5 AND p.removal_label <> 'none', false) AS leaving
FROM posts p ASOF JOIN slice s ON p.observed_at >= s.start
WHERE p.observed_at < s."end" AND p.platform = $platform AND p.kind <> 'repost' AND NOT p.hidden
    AND len(list_filter(p.matched, lambda m: split_part(m, '/', 1) = $topic
        AND split_part(m, '/', 2) NOT IN ('thread', 'import'))) > 0
    AND list_has_any(coalesce(p.sources, [p.source]), ['search', 'live'])
ORDER BY s.slice
