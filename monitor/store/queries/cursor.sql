-- question: where does a stream continue?
-- params: stream
-- columns: value, event_at
SELECT value, event_at FROM cursors WHERE stream = $stream
