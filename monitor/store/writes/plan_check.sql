-- The next posts that X is to be asked about, and whoever's text came along with a reply. Params: name, stream, most.

CREATE TEMP TABLE planned AS
WITH held AS (
    SELECT post_id AS id, key FROM posts WHERE platform = 'x'
    UNION
    SELECT coalesce(reply_to, quote_of), parent_key FROM posts
    WHERE platform = 'x' AND context IS NOT NULL AND coalesce(reply_to, quote_of) IS NOT NULL
)
SELECT id, key FROM held
WHERE id > coalesce((SELECT value FROM cursors WHERE stream = $stream), '')
ORDER BY id
LIMIT $most;

INSERT INTO asked SELECT $name, key FROM planned;
INSERT INTO checks
SELECT $name, 'x', 'planned', NULL, CASE WHEN count(*) < $most THEN '' ELSE max(id) END, $now, NULL, count(*), 0
FROM planned
HAVING count(*) > 0;
