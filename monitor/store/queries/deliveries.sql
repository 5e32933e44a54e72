-- question: who was told of which alert, or, of a target, who is still to be?
-- params: target (NULL: all), waiting (only what was neither sent nor given up)
-- columns: those of the table, the oldest first
SELECT *
FROM deliveries
WHERE ($target::VARCHAR IS NULL OR target = $target) AND (NOT $waiting OR (sent_at IS NULL AND NOT given_up))
ORDER BY created_at, alert, state, target
