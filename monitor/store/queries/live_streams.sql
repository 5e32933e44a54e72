-- question: since when and up to when did each live stream collect, and between which times did search or import find
--   posts of its platform?
-- params: none
-- columns: stream, begun_at (its first commit; of streams older than that note the first hour inspected), event_at
--   (platform time of its last event), moved_at (last commit), newest_at (newest post it found first), files_from,
--   files_to (oldest and newest post that a search or import found)
WITH begun AS (
    SELECT stream, min(hour) AS hour FROM seen WHERE ends_with(stream, ':live') GROUP BY stream
), moved AS (
    SELECT * FROM cursors WHERE ends_with(stream, ':live')
), reach AS (
    SELECT
        platform,
        max(observed_at) FILTER (source = 'live') AS newest_at,
        min(observed_at) FILTER (source <> 'live' OR sources IS NOT NULL) AS files_from,
        max(observed_at) FILTER (source <> 'live' OR sources IS NOT NULL) AS files_to
    FROM posts
    GROUP BY platform
)
SELECT
    stream,
    -- An hour is as fine as `seen` goes.
    CASE WHEN hour IS NULL OR begun_at < hour + INTERVAL 1 HOUR THEN begun_at ELSE hour END AS begun_at,
    event_at, moved_at, newest_at, files_from, files_to
FROM begun FULL JOIN moved USING (stream)
LEFT JOIN reach ON platform = split_part(stream, ':', 1)
ORDER BY stream
