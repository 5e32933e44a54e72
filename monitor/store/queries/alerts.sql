-- question: which alerts are open, or fired since a time?
-- params: since
-- columns: those of the table, the newest first
SELECT * FROM alerts WHERE resolved_at IS NULL OR fired_at >= $since::TIMESTAMP ORDER BY fired_at DESC, id
