-- question: who are these authors?
-- params: authors (author keys)
-- columns: author, platform, author_id, author_handle (the last known)
SELECT
    author_key AS author, any_value(platform) AS platform, any_value(author_id) AS author_id,
    arg_max(author_handle, observed_at) FILTER (author_handle IS NOT NULL) AS author_handle
FROM posts
WHERE NOT hidden AND rowid IN (
    SELECT p.rowid FROM posts p SEMI JOIN (SELECT unnest($authors::UBIGINT[]) AS author_key) n USING (author_key)
)
GROUP BY author_key
