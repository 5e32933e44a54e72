-- question: who are these authors?
-- params: authors (author keys)
-- columns: author, platform, author_id, author_handle (the last known)
SELECT
    author_key AS author, any_value(platform) AS platform, any_value(author_id) AS author_id,
    arg_max(author_handle, observed_at) FILTER (author_handle IS NOT NULL) AS author_handle
FROM posts
WHERE rowid IN (SELECT rowid FROM posts WHERE author_key IN (SELECT unnest($authors::UBIGINT[]))) AND NOT hidden
GROUP BY author_key
