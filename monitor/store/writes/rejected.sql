-- What could not be kept: an example each, and counted for ever. Staged: in_rejected.
INSERT INTO rejected SELECT stream, why, rejected_at, raw FROM in_rejected;
MERGE INTO rejected_counts c USING (SELECT stream, why, count(*) AS n FROM in_rejected GROUP BY ALL) i
ON c.stream = i.stream AND c.why = i.why
WHEN MATCHED THEN UPDATE SET n = c.n + i.n
WHEN NOT MATCHED THEN INSERT VALUES (i.stream, i.why, i.n);
