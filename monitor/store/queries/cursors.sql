-- question: where does each stream continue, and when did it last move?
-- params: none
-- columns: stream, value, event_at, moved_at
SELECT stream, value, event_at, moved_at FROM cursors ORDER BY stream
