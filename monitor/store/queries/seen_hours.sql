-- question: how much did each live stream inspect, hour by hour?
-- params: since
-- columns: stream, hour (since 1970), n
SELECT stream, floor(epoch(hour) / 3600)::BIGINT AS hour, sum(n)::BIGINT AS n
FROM seen
WHERE ends_with(stream, ':live') AND hour >= $since::TIMESTAMP
GROUP BY ALL
ORDER BY ALL
