-- question: how much was refused, by stream and reason?
-- params: none
-- columns: stream, why, n
SELECT stream, why, n FROM rejected_counts ORDER BY n DESC, stream, why
