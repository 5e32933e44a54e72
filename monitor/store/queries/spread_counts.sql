-- question: on how many posts does it rest what is told of the spread in [start, end)?
-- params: start, end, topics, langs, platforms (lists; NULL takes all)
-- columns: platform, posts (relevant, no reposts), unscored, others (not relevant), reposts, readable (relevant posts whose
--   payload is still stored, so that links beside the text can be read), searched (searched for or imported, of all),
--   sampled (of all, read as part of a sample)
SELECT
    platform,
    count(*) FILTER (kind <> 'repost' AND model_id IS NOT NULL AND relevant >= 0.5) AS posts,
    count(*) FILTER (kind <> 'repost' AND model_id IS NULL) AS unscored,
    count(*) FILTER (kind <> 'repost' AND model_id IS NOT NULL AND relevant < 0.5) AS others,
    count(*) FILTER (kind = 'repost') AS reposts,
    count(*) FILTER (kind <> 'repost' AND model_id IS NOT NULL AND relevant >= 0.5 AND raw IS NOT NULL) AS readable,
    count(*) FILTER (source <> 'live') AS searched,
    count(*) FILTER (sample_weight <> 1) AS sampled
FROM posts
WHERE observed_at >= $start AND observed_at < $end AND NOT hidden
    AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
    AND ($langs IS NULL OR kind = 'repost' OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
    AND ($platforms IS NULL OR list_contains($platforms, platform))
GROUP BY platform
ORDER BY platform
