-- When nothing could be collected. Staged: in_gaps, each stream and start once.
-- An open row opens a closed gap again: the stream was lost once more without an event since.
MERGE INTO gaps g USING in_gaps i ON g.stream = i.stream AND g.start = i.start
WHEN MATCHED THEN UPDATE SET
    "end" = i."end", why = i.why,
    filled_by = CASE WHEN i."end" IS NOT NULL THEN coalesce(i.filled_by, g.filled_by) END
WHEN NOT MATCHED THEN INSERT VALUES (i.stream, i.start, i."end", i.why, i.filled_by);
