-- question: where does a stream continue?
-- params: stream
-- columns: value
SELECT value FROM cursors WHERE stream = $stream
