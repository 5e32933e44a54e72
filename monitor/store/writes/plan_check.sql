-- The next posts that X is to be asked about, and whoever's text came along with a reply. In the order of their keys, so
-- that no id stands where a pass goes on. Params: name, stream, most.

CREATE TEMP TABLE planned AS
WITH held AS (
    SELECT key FROM posts WHERE platform = 'x'
    UNION
    SELECT parent_key FROM posts
    WHERE platform = 'x' AND context IS NOT NULL AND coalesce(reply_to, quote_of) IS NOT NULL
)
SELECT key FROM held
WHERE key > coalesce((SELECT TRY_CAST(value AS UBIGINT) FROM cursors WHERE stream = $stream), 0)
ORDER BY key
LIMIT $most;

INSERT INTO asked SELECT $name, key FROM planned;
INSERT INTO checks
SELECT $name, 'x', 'planned', NULL, CASE WHEN count(*) < $most THEN '' ELSE max(key)::VARCHAR END, $now, NULL, count(*), 0
FROM planned
HAVING count(*) > 0;
