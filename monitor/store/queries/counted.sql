-- question: how many posts does the platform itself count, by topic and hour?
-- params: platform, start, end
-- columns: topic, hour, n, counted_at
SELECT topic, hour, n, counted_at
FROM counted
WHERE platform = $platform AND hour >= $start AND hour < $end
ORDER BY topic, hour
