-- question: how many posts does each of these queries of a topic find by the platform's own count, by the hour?
-- params: platform, topic, queries (fingerprints), start, end
-- columns: query (its place among them, from 0), hour (whole hours since start), n
SELECT (list_position($queries, query) - 1)::BIGINT AS query, date_diff('hour', $start::TIMESTAMP, hour) AS hour, n
FROM counted
WHERE platform = $platform AND topic = $topic AND list_contains($queries, query) AND hour >= $start AND hour < $end
ORDER BY ALL
