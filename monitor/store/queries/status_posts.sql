-- question: how many posts are stored, by platform and source?
-- params: none
-- columns: platform, source, posts, reposts, hidden, unscored, newest
SELECT
    platform,
    source,
    count(*) FILTER (kind <> 'repost') AS posts,
    count(*) FILTER (kind = 'repost') AS reposts,
    count(*) FILTER (hidden) AS hidden,
    count(*) FILTER (kind <> 'repost' AND model_id IS NULL AND NOT hidden) AS unscored,
    max(observed_at) AS newest
FROM posts
GROUP BY platform, source
ORDER BY platform, source
