-- question: is a gap of this stream still open?
-- params: stream
-- columns: start, why
SELECT start, why FROM gaps WHERE stream = $stream AND "end" IS NULL ORDER BY start DESC LIMIT 1
