-- question: how many replies, quotes and reposts did the most answered post of each topic draw in each hour of [start, end)?
-- params: start, end, platforms (list)
-- columns: topic, hour (since 1970), answers, thread (key of that post)
WITH answered AS (
    SELECT
        unnest(list_distinct(list_transform(matched, lambda m: split_part(m, '/', 1)))) AS topic,
        floor(epoch(observed_at) / 3600)::BIGINT AS hour,
        parent_key
    FROM posts
    WHERE list_contains($platforms::VARCHAR[], platform) AND observed_at >= $start AND observed_at < $end AND parent_key IS NOT NULL AND NOT hidden AND sample_weight = 1
), counted AS (
    SELECT topic, hour, parent_key, count(*) AS n FROM answered GROUP BY topic, hour, parent_key
)
SELECT topic, hour, max(n) AS answers, arg_max(parent_key, n) AS thread
FROM counted
GROUP BY topic, hour
ORDER BY topic, hour
