-- A sample as it was drawn, without what was removed since. Staged: in_samples. Params: name, method.

INSERT INTO samples
SELECT $name, $method, p.key, i.ord, i.probability, $now
FROM in_samples i JOIN posts p ON p.key = md5_number_lower(i.platform || ' ' || i.post_id)
WHERE NOT EXISTS (SELECT 1 FROM samples WHERE name = $name);
