-- question: which alerts are open, and which was the last one of each topic, detector and subject?
-- params: none
-- columns: those of the table
SELECT *
FROM alerts
QUALIFY resolved_at IS NULL OR row_number() OVER (PARTITION BY topic, detector, subject ORDER BY fired_at DESC) = 1
ORDER BY fired_at DESC, id
