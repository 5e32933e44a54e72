-- A message is about to be sent, was sent, or was not. Params: alert, state, round, target, step ('begun', 'sent', 'failed',
-- 'given up'), fault.
UPDATE deliveries SET
    begun_at = CASE WHEN $step = 'begun' THEN $now::TIMESTAMP ELSE begun_at END,
    attempts = attempts + (CASE WHEN $step = 'begun' THEN 1 ELSE 0 END),
    sent_at = CASE WHEN $step = 'sent' THEN $now::TIMESTAMP ELSE sent_at END,
    given_up = given_up OR $step = 'given up',
    fault = CASE WHEN $step = 'begun' THEN fault ELSE $fault END
WHERE alert = $alert AND state = $state AND round = $round AND target = $target AND sent_at IS NULL;
