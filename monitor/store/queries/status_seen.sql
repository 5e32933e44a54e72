-- question: how much was inspected, by stream?
-- params: none
-- columns: stream, n
SELECT stream, sum(n)::BIGINT AS n FROM seen GROUP BY stream ORDER BY stream
