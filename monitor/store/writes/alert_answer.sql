-- Somebody acknowledged an alert, or wants to hear of it only later. Params: id, acknowledged (boolean), until (or NULL).
CREATE TEMP TABLE answered AS SELECT id FROM alerts WHERE id = $id AND resolved_at IS NULL;
UPDATE alerts SET
    acknowledged_at = CASE WHEN $acknowledged THEN coalesce(acknowledged_at, $now::TIMESTAMP) ELSE acknowledged_at END,
    snoozed_until = coalesce($until::TIMESTAMP, snoozed_until)
WHERE id IN (SELECT id FROM answered);
