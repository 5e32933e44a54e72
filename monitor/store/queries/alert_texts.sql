-- question: what was said on each topic in these hours?
-- params: hours (list, since 1970), start, end (of all of them), topics (list)
-- columns: topic, hour, key, author (both hashed), text
WITH said AS (
    SELECT
        unnest(list_distinct(list_transform(matched, lambda m: split_part(m, '/', 1)))) AS topic,
        floor(epoch(observed_at) / 3600)::BIGINT AS hour, key, author_key AS author, text, observed_at
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden AND sample_weight = 1
        AND (model_id IS NULL OR relevant >= 0.5)
        AND list_contains($hours::BIGINT[], floor(epoch(observed_at) / 3600)::BIGINT)
)
SELECT topic, hour, key, author, text
FROM said
WHERE list_contains($topics, topic)
ORDER BY observed_at, key
