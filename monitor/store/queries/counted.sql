-- question: how many posts of a topic does the platform itself count, by the hour?
-- params: platform, topic, since (no older count), start, end
-- columns: hour, n, counted_at
SELECT hour, n, counted_at
FROM counted
WHERE platform = $platform AND topic = $topic AND counted_at >= $since AND hour >= $start AND hour < $end
ORDER BY hour
