-- question: of which authors do we hold posts, hidden ones included, under a handle in any case, or under an id?
-- params: handle (lower case, or NULL), id (or NULL), platform (NULL takes all)
-- columns: platform, author_id, posts, reposts (all of theirs), first_at, last_at (observed), handles (theirs, sorted)
SELECT
    platform,
    author_id,
    count(*) FILTER (kind <> 'repost') AS posts,
    count(*) FILTER (kind = 'repost') AS reposts,
    min(observed_at) AS first_at,
    max(observed_at) AS last_at,
    list_sort(coalesce(list(DISTINCT author_handle) FILTER (author_handle IS NOT NULL), [])) AS handles
FROM posts
WHERE author_key IN (SELECT author_key FROM posts WHERE lower(author_handle) = $handle OR author_id = $id)
    AND ($platform IS NULL OR platform = $platform)
GROUP BY platform, author_id
ORDER BY last_at DESC, platform, author_id
