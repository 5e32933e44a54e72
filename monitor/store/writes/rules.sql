-- A new version of each topic whose rules are not those of its newest one. Staged: in_rules, each topic once.
-- A live stream goes on where it stopped, so there the new rules begin, not at the moment of the restart.
INSERT INTO rule_versions
SELECT
    i.topic,
    coalesce(newest.number, 0) + 1,
    i.rules,
    least($now, coalesce((SELECT max(event_at) FROM cursors WHERE ends_with(stream, ':live')), $now))
FROM in_rules i
LEFT JOIN (
    SELECT * FROM rule_versions QUALIFY row_number() OVER (PARTITION BY topic ORDER BY number DESC) = 1
) newest ON newest.topic = i.topic
WHERE newest.rules IS DISTINCT FROM i.rules;
