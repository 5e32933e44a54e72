-- question: what was said on these topics, each in these of its hours?
-- params: topics and hours (lists of equal length, one topic and its hour since 1970 each), start, end (of all hours),
--   platforms (list)
-- columns: topic, hour, key, author (both hashed), text
WITH asked AS (
    SELECT unnest($topics::VARCHAR[]) AS topic, unnest($hours::BIGINT[]) AS hour
), said AS (
    SELECT
        unnest(list_distinct(list_transform(matched, lambda m: split_part(m, '/', 1)))) AS topic,
        floor(epoch(observed_at) / 3600)::BIGINT AS hour, key, author_key AS author, text, observed_at
    FROM posts
    WHERE list_contains($platforms::VARCHAR[], platform) AND observed_at >= $start AND observed_at < $end
        AND kind <> 'repost' AND NOT hidden AND sample_weight = 1 AND (model_id IS NULL OR relevant >= 0.5)
)
SELECT topic, hour, key, author, text
FROM said
SEMI JOIN asked USING (topic, hour)
ORDER BY observed_at, key
