-- What the platform counts; the last answer stands. Staged: in_counted, each platform, topic and hour once.
MERGE INTO counted c USING in_counted i ON c.platform = i.platform AND c.topic = i.topic AND c.hour = i.hour
WHEN MATCHED THEN UPDATE SET n = i.n, counted_at = $now
WHEN NOT MATCHED THEN INSERT VALUES (i.platform, i.topic, i.hour, i.n, $now);
