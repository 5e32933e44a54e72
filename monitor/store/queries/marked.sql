-- question: what fact was noted under a key?
-- params: key
-- columns: value
SELECT value FROM marks WHERE key = $key
