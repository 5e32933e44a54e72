-- question: whose replies, quotes and reposts are collected?
-- params: platform, since
-- columns: post_id, topics
SELECT post_id, list_sort(list_distinct(list_transform(matched, lambda m: split_part(m, '/', 1)))) AS topics
FROM posts
WHERE platform = $platform AND observed_at >= $since AND kind <> 'repost'
