-- question: how many posts of each UTC day does X count, and how many did we collect in the same hours?
--   Posts that no rule matches are left out. A post of two topics counts in each, as it does in the platform's counts;
--   one of a sample counts by its weight.
-- params: start, end, census (list of {topic, hour in unix seconds, n})
-- columns: day, platform, hours (of a topic, counted), counted, collected
WITH census AS (
    SELECT c.topic, make_timestamp(c.hour::BIGINT * 1000000) AS hour, c.n FROM (SELECT unnest($census) AS c)
), ours AS (
    SELECT topic, date_trunc('hour', observed_at)::TIMESTAMP AS hour, sum(sample_weight) AS n
    FROM (
        SELECT DISTINCT key, observed_at, sample_weight, split_part(m, '/', 1) AS topic
        FROM (SELECT key, observed_at, sample_weight, unnest(matched) AS m FROM posts
            WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden AND platform = 'x')
        WHERE split_part(m, '/', 2) NOT IN ('thread', 'import')
    )
    GROUP BY ALL
)
SELECT
    date_trunc('day', hour)::TIMESTAMP AS day, 'x' AS platform, count(*) AS hours, sum(census.n)::BIGINT AS counted,
    round(coalesce(sum(ours.n), 0))::BIGINT AS collected
FROM census LEFT JOIN ours USING (topic, hour)
GROUP BY ALL
ORDER BY day
