-- question: how many stored posts are gone, by platform?
-- params: none
-- columns: platform, n
SELECT platform, count(*) AS n FROM tombstones WHERE was IS NOT NULL AND was <> 'repost' GROUP BY platform ORDER BY platform
