-- question: when was nothing collected between start and end, and why? NULL bounds are open.
-- params: start, end
-- columns: stream, start, end, why, filled_by
SELECT stream, start, "end", why, filled_by
FROM gaps
WHERE ($start::TIMESTAMP IS NULL OR coalesce("end", TIMESTAMP '9999-01-01') > $start::TIMESTAMP)
    AND ($end::TIMESTAMP IS NULL OR start < $end::TIMESTAMP)
ORDER BY start, stream
