-- question: how many posts did each topic have on each platform in each hour of [start, end), and what did they say?
--   Posts of samples are left out: they stand for others.
-- params: start, end
-- columns: topic, platform, hour (since 1970), posts (relevant), unscored, scored (relevant or not), concern (relevant, level 2 or 3),
--   removal (relevant, of any stage)
WITH told AS (
    SELECT
        unnest(list_distinct(list_transform(matched, lambda m: split_part(m, '/', 1)))) AS topic,
        platform,
        floor(epoch(observed_at) / 3600)::BIGINT AS hour,
        model_id IS NULL AS is_unscored,
        model_id IS NOT NULL AND relevant >= 0.5 AS is_relevant,
        concern_label, removal_label
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden AND sample_weight = 1
)
SELECT
    topic, platform, hour,
    count(*) FILTER (is_relevant) AS posts,
    count(*) FILTER (is_unscored) AS unscored,
    count(*) FILTER (NOT is_unscored) AS scored,
    count(*) FILTER (is_relevant AND concern_label >= 2) AS concern,
    count(*) FILTER (is_relevant AND removal_label <> 'none') AS removal
FROM told
GROUP BY topic, platform, hour
ORDER BY topic, platform, hour
