-- question: which posts are stored, in the order of their ids?
-- params: platform, after, limit
-- columns: post_id, author_id
SELECT post_id, author_id
FROM posts
WHERE platform = $platform AND post_id > $after AND kind <> 'repost'
ORDER BY post_id
LIMIT $limit
