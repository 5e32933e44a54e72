-- Where the stream continues. Staged: in_cursor.
MERGE INTO cursors c USING in_cursor i ON c.stream = i.stream
WHEN MATCHED THEN UPDATE SET value = i.value, event_at = i.event_at, moved_at = $now
WHEN NOT MATCHED THEN INSERT VALUES (i.stream, i.value, i.event_at, $now, coalesce(i.event_at, $now));
