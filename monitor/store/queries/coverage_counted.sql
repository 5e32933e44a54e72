-- question: how many posts of each UTC day does the platform count, and how many did we collect in the same hours?
--   Hours that were not counted, or by other rules than the last count, are left out on both sides; so are posts that no
--   rule matches. A post of two topics counts in each, as it does in the platform's counts.
-- params: start, end, topics (list; NULL takes all)
-- columns: day, platform, hours (of a topic, counted), counted, collected
WITH since AS (
    SELECT
        split_part(stream, ':', 1) AS platform, substr(stream, length('x:counts:') + 1) AS topic,
        TRY_CAST(json_extract_string(TRY_CAST(value AS JSON), '$.since') AS TIMESTAMP) AS at
    FROM cursors WHERE starts_with(stream, 'x:counts:')
), census AS (
    SELECT c.platform, c.topic, c.hour, c.n
    FROM counted c LEFT JOIN since s ON s.platform = c.platform AND s.topic = c.topic
    WHERE c.hour >= $start AND c.hour < $end AND (s.at IS NULL OR c.counted_at >= s.at)
        AND ($topics IS NULL OR list_contains($topics, c.topic))
), ours AS (
    SELECT platform, topic, date_trunc('hour', observed_at)::TIMESTAMP AS hour, count(*) AS n
    FROM (
        SELECT DISTINCT key, platform, observed_at, split_part(m, '/', 1) AS topic
        FROM (SELECT key, platform, observed_at, unnest(matched) AS m FROM posts
            WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
                AND platform IN (SELECT platform FROM census))
        WHERE split_part(m, '/', 2) NOT IN ('thread', 'import')
    )
    GROUP BY ALL
)
SELECT
    date_trunc('day', hour)::TIMESTAMP AS day, platform, count(*) AS hours, sum(census.n)::BIGINT AS counted,
    coalesce(sum(ours.n), 0)::BIGINT AS collected
FROM census LEFT JOIN ours USING (platform, topic, hour)
GROUP BY ALL
ORDER BY day, platform
