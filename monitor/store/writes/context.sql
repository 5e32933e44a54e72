-- The context of replies and quotes, whether the parent came first or last, and again when it was edited.
-- Reads `incoming` of `posts`.

CREATE TEMP TABLE child AS
SELECT c.rowid AS row, c.parent_key
FROM posts c JOIN incoming i ON c.parent_key = i.key
WHERE c.kind <> 'repost'
UNION
SELECT c.rowid, c.parent_key
FROM posts c JOIN incoming i ON c.key = i.key
WHERE c.kind <> 'repost' AND c.parent_key IS NOT NULL;

UPDATE posts SET context = t.text, revision = posts.revision + 1, model_id = NULL
FROM (SELECT c.row, p.text FROM child c JOIN posts p ON p.key = c.parent_key WHERE NOT p.hidden) t
WHERE posts.rowid = t.row AND posts.context IS DISTINCT FROM t.text;
