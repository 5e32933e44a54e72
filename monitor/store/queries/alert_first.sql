-- question: which post of a topic came first in [start, end), of those that a detector counts?
-- params: topic, start, end, detector (concern: of level 2 or 3; removal: that speak of leaving; any other: all relevant
--   ones and those that wait for their scores), platforms (list)
-- columns: key
SELECT key
FROM posts
WHERE list_contains($platforms::VARCHAR[], platform) AND observed_at >= $start AND observed_at < $end
    AND kind <> 'repost' AND NOT hidden AND sample_weight = 1
    AND CASE $detector::VARCHAR
        WHEN 'concern' THEN relevant >= 0.5 AND concern_label >= 2
        WHEN 'removal' THEN relevant >= 0.5 AND removal_label <> 'none'
        ELSE model_id IS NULL OR relevant >= 0.5
    END
    AND list_contains(list_transform(matched, lambda m: split_part(m, '/', 1)), $topic)
ORDER BY observed_at, key
LIMIT 1
