-- question: which posts are stored, in the order of their ids?
-- params: platform, after, limit, before (only posts observed earlier; NULL takes all)
-- columns: post_id, author_id
SELECT post_id, author_id
FROM posts
WHERE platform = $platform AND post_id > $after AND ($before IS NULL OR observed_at < $before) AND kind <> 'repost'
ORDER BY post_id
LIMIT $limit
