-- How much was inspected, by hour. Staged: in_seen, each stream and hour once.
MERGE INTO seen USING in_seen i ON seen.stream = i.stream AND seen.hour = i.hour
WHEN MATCHED THEN UPDATE SET n = seen.n + i.n
WHEN NOT MATCHED THEN INSERT VALUES (i.stream, i.hour, i.n);
