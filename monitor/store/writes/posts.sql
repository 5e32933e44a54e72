-- Posts: tombstones first, then one row for each key. Staged: in_posts, each key once.
-- Everything is looked up once by hashed key and then touched by row id. `edits` and `context` follow.

-- Posts that others may not repeat: deleted ones, and those of accounts that are away. A text that comes along with a
-- reply or quote is the text of its parent.
CREATE TEMP TABLE withdrawn AS
WITH parent AS (
    SELECT DISTINCT
        md5_number_lower(platform || ' ' || coalesce(reply_to, quote_of)) AS key,
        md5_number_lower(platform || ' ' || coalesce(context_by, split_part(coalesce(reply_to, quote_of), '/', 3)))
            AS author_key
    FROM in_posts WHERE context IS NOT NULL
)
SELECT key FROM parent
WHERE key IN (SELECT key FROM tombstones)
    OR key IN (SELECT key FROM forgotten WHERE what = 'post')
    OR author_key IN (SELECT key FROM forgotten WHERE what = 'author')
    OR author_key IN (SELECT author_key FROM accounts WHERE status <> 'active')
    OR key IN (SELECT key FROM posts WHERE hidden);

CREATE TEMP TABLE hashed AS
SELECT
    * EXCLUDE (context_by),
    md5_number_lower(platform || ' ' || context_by) AS context_author_key,
    md5_number_lower(platform || ' ' || post_id) AS key,
    md5_number_lower(platform || ' ' || author_id) AS author_key,
    md5_number_lower(platform || ' ' || coalesce(reply_to, quote_of, repost_of)) AS parent_key
FROM in_posts;

-- What came together with the deletion of its account, or after it, was never stored and is gone all the same: the account
-- may be back, and then its id must not be taken for a new one.
INSERT INTO tombstones
SELECT h.key, h.platform, h.post_id, h.author_id, t.gone_at, $now, NULL
FROM hashed h JOIN tombstones t ON t.key = h.author_key AND t.gone_at >= h.observed_at
WHERE h.key NOT IN (SELECT key FROM tombstones)
    AND h.author_key NOT IN (SELECT key FROM forgotten WHERE what = 'author')
    AND h.key NOT IN (SELECT key FROM forgotten WHERE what = 'post');

CREATE TEMP TABLE incoming AS
SELECT
    * REPLACE (CASE WHEN parent_key IS NULL OR parent_key NOT IN (SELECT key FROM withdrawn) THEN context END AS context)
FROM hashed
-- What was deleted stays gone, also when its key is written again: nothing tells a new create from a replayed one.
WHERE key NOT IN (SELECT key FROM tombstones)
    -- An account that is back after its deletion may post again; what it posted before stays gone.
    AND NOT EXISTS (FROM tombstones t WHERE t.key = author_key AND t.gone_at >= observed_at)
    AND author_key NOT IN (SELECT author_key FROM accounts WHERE status = 'deleted')
    -- Who asked to be forgotten is not collected again, whatever they post and whatever happens to their account.
    AND author_key NOT IN (SELECT key FROM forgotten WHERE what = 'author')
    AND key NOT IN (SELECT key FROM forgotten WHERE what = 'post');

CREATE TEMP TABLE hit AS
SELECT p.rowid AS row, i.key
FROM posts p JOIN incoming i ON p.key = i.key;

CREATE TEMP TABLE fresh AS
SELECT * FROM incoming WHERE key NOT IN (SELECT key FROM hit) AND len(matched) > 0;
INSERT INTO posts BY NAME
SELECT
    * REPLACE (CASE WHEN len(sources) > 1 THEN sources END AS sources),
    0 AS revision,
    $now AS stored_at,
    author_key IN (SELECT author_key FROM accounts WHERE status <> 'active') AS hidden
FROM fresh;
