-- How far a check is; one that has ended takes nothing more. Staged: in_checks, in order.

CREATE TEMP TABLE step AS
SELECT name, any_value(platform) AS platform, last(state ORDER BY ord) AS state, max(job) AS job,
    sum(asked)::BIGINT AS asked, sum(named)::BIGINT AS named
FROM in_checks
GROUP BY name;

MERGE INTO checks c USING step s ON c.name = s.name
WHEN MATCHED AND c.ended_at IS NULL THEN UPDATE SET
    state = s.state, job = coalesce(s.job, c.job), asked = c.asked + s.asked, named = c.named + s.named
WHEN NOT MATCHED THEN INSERT VALUES (s.name, s.platform, s.state, s.job, NULL, $now, NULL, s.asked, s.named);
UPDATE checks SET ended_at = $now, last = NULL
WHERE ended_at IS NULL AND name IN (SELECT name FROM step) AND state IN ('applied', 'failed', 'expired');
DELETE FROM asked WHERE name IN (SELECT name FROM checks WHERE ended_at IS NOT NULL);
