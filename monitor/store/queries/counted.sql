-- question: how many posts does each of these queries of a topic find by the platform's own count, by the hour?
-- params: platform, topic, queries (fingerprints), start, end
-- columns: query (its place among them, from 0), hour, n, counted_at
SELECT (list_position($queries, query) - 1)::BIGINT AS query, hour, n, counted_at
FROM counted
WHERE platform = $platform AND topic = $topic AND list_contains($queries, query) AND hour >= $start AND hour < $end
ORDER BY ALL
