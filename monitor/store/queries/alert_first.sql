-- question: which post of a topic came first in [start, end)?
-- params: topic, start, end
-- columns: key
SELECT key
FROM posts
WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
    AND (model_id IS NULL OR relevant >= 0.5)
    AND list_contains(list_transform(matched, lambda m: split_part(m, '/', 1)), $topic)
ORDER BY observed_at, key
LIMIT 1
