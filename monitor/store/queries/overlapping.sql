-- question: which samples were drawn of some of the time in [start, end)?
-- params: prefix (of their names), start, end
-- columns: sample, start, end, posts (that were asked for; NULL where it was not kept)
WITH drawn AS (
    SELECT
        s.sample,
        coalesce(min(g.start), min(s.start)) AS start,
        coalesce(max(g."end"), max(s."end")) AS "end",
        try_cast(regexp_extract(any_value(g.why), '^sample (\d+)', 1) AS BIGINT) AS posts
    FROM slices s LEFT JOIN gaps g ON g.stream = s.sample
    WHERE starts_with(s.sample, $prefix)
    GROUP BY s.sample
)
SELECT sample, start, "end", posts FROM drawn WHERE start < $end AND "end" > $start ORDER BY start
