-- What the platform counts; the last answer stands. Staged: in_counted, each query and start once, an hour for each of n.
CREATE TEMP TABLE new_counted AS
SELECT platform, topic, query, start + to_hours(generate_subscripts(n, 1) - 1) AS hour, unnest(n) AS n FROM in_counted;
DELETE FROM counted c USING new_counted i
WHERE c.platform = i.platform AND c.topic = i.topic AND c.query = i.query AND c.hour = i.hour;
INSERT INTO counted SELECT platform, topic, query, hour, any_value(n), $now FROM new_counted GROUP BY ALL;
DROP TABLE new_counted;
