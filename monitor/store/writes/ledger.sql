-- What was inspected, refused or missed, and where the stream continues.
-- Staged: in_seen, in_rejected, in_gaps, in_cursor.

INSERT INTO seen SELECT stream, hour, sum(n)::BIGINT FROM in_seen GROUP BY ALL
ON CONFLICT (stream, hour) DO UPDATE SET n = seen.n + excluded.n;

INSERT INTO rejected SELECT stream, why, rejected_at, raw FROM in_rejected;
INSERT INTO rejected_counts SELECT stream, why, count(*) FROM in_rejected GROUP BY ALL
ON CONFLICT (stream, why) DO UPDATE SET n = rejected_counts.n + excluded.n;

INSERT INTO gaps SELECT stream, start, "end", why, filled_by FROM in_gaps
QUALIFY row_number() OVER (PARTITION BY stream, start ORDER BY ord DESC) = 1
ON CONFLICT (stream, start) DO UPDATE SET
    "end" = coalesce(excluded."end", gaps."end"), why = excluded.why, filled_by = coalesce(excluded.filled_by, gaps.filled_by);

INSERT INTO cursors SELECT stream, value, event_at, $now FROM in_cursor
ON CONFLICT (stream) DO UPDATE SET value = excluded.value, event_at = excluded.event_at, moved_at = excluded.moved_at;
