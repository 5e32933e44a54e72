-- question: which authors of stored posts deleted a post that was collected, and when last? By the platform's clock, or when
--   it was found missing; whoever asked to be forgotten has no id here and is in no answer.
-- params: none
-- columns: author_key, gone (seconds since 1970)
SELECT md5_number_lower(platform || ' ' || author_id) AS author_key, epoch_us(max(gone_at)) / 1e6 AS gone
FROM tombstones
WHERE author_id <> '' AND post_id IS NOT NULL AND was IS NOT NULL AND was <> 'repost'
GROUP BY ALL
HAVING author_key IN (SELECT author_key FROM posts)
ORDER BY author_key
