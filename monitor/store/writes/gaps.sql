-- When nothing could be collected. Staged: in_gaps, each stream and start once.
MERGE INTO gaps g USING in_gaps i ON g.stream = i.stream AND g.start = i.start
WHEN MATCHED THEN UPDATE SET
    "end" = coalesce(i."end", g."end"), why = i.why, filled_by = coalesce(i.filled_by, g.filled_by)
WHEN NOT MATCHED THEN INSERT VALUES (i.stream, i.start, i."end", i.why, i.filled_by);
