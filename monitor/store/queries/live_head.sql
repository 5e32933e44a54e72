-- question: how far does the store reach, and is somebody collecting? Streams named ...:live are the live ones.
-- params: none
-- columns: oldest_at, newest_at (posts; NULL where there are none), begun_at (first hour inspected live),
--   moved_at (last commit of a live stream), event_at (platform time of its last event), is_synthetic (marked so)
SELECT
    (SELECT min(observed_at) FROM posts) AS oldest_at,
    (SELECT max(observed_at) FROM posts) AS newest_at,
    (SELECT min(hour) FROM seen WHERE ends_with(stream, ':live')) AS begun_at,
    (SELECT max(moved_at) FROM cursors WHERE ends_with(stream, ':live')) AS moved_at,
    (SELECT max(event_at) FROM cursors WHERE ends_with(stream, ':live')) AS event_at,
    EXISTS (SELECT 1 FROM marks WHERE key = 'synthetic' AND value = 'true') AS is_synthetic
