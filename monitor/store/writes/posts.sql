-- Posts: tombstones first, then one row for each key, then the context of replies and quotes.
-- Staged: in_posts. Everything is looked up once by hashed key and then touched by row id.

CREATE TEMP TABLE incoming AS
WITH hashed AS (
    SELECT
        *,
        md5_number_lower(platform || ' ' || post_id) AS key,
        md5_number_lower(platform || ' ' || author_id) AS author_key,
        md5_number_lower(platform || ' ' || coalesce(reply_to, quote_of, repost_of)) AS parent_key
    FROM in_posts
)
SELECT
    * REPLACE (list_sort(list_distinct(flatten(list(matched) OVER w))) AS matched, min(observed_at) OVER w AS observed_at),
    observed_at AS version_at
FROM hashed
WHERE key NOT IN (SELECT key FROM tombstones)
    -- An account that is back after its deletion may post again; what it posted before stays gone.
    AND NOT EXISTS (FROM tombstones t WHERE t.key = author_key AND t.gone_at >= observed_at)
    AND author_key NOT IN (SELECT author_key FROM accounts WHERE status = 'deleted')
WINDOW w AS (PARTITION BY platform, post_id)
QUALIFY row_number() OVER (PARTITION BY platform, post_id ORDER BY observed_at DESC, ord DESC) = 1;

CREATE TEMP TABLE hit AS
SELECT p.rowid AS row, i.key
FROM posts p JOIN incoming i ON p.key = i.key;

CREATE TEMP TABLE known AS
SELECT
    h.row, h.key, i.platform, i.post_id, i.text, i.raw, i.lang, i.author_handle, i.version_at,
    i.likes, i.reposts, i.replies, i.quotes, i.measured_at,
    i.text IS DISTINCT FROM p.text AND i.version_at >= p.version_at AS is_edit,
    i.measured_at IS NOT NULL AND (p.measured_at IS NULL OR i.measured_at >= p.measured_at) AS is_measured,
    CASE WHEN p.context IS NULL THEN i.context END AS context,
    list_sort(list_distinct(list_concat(p.matched, i.matched))) AS matched
FROM hit h JOIN posts p ON p.rowid = h.row JOIN incoming i ON i.key = h.key;

UPDATE posts SET
    text = k.text, raw = k.raw, lang = coalesce(k.lang, posts.lang), version_at = k.version_at,
    edited_at = k.version_at, revision = posts.revision + 1, model_id = NULL
FROM known k WHERE posts.rowid = k.row AND k.is_edit;
UPDATE posts SET context = k.context, revision = posts.revision + 1, model_id = NULL
FROM known k WHERE posts.rowid = k.row AND k.context IS NOT NULL;
UPDATE posts SET
    likes = coalesce(k.likes, posts.likes), reposts = coalesce(k.reposts, posts.reposts),
    replies = coalesce(k.replies, posts.replies), quotes = coalesce(k.quotes, posts.quotes), measured_at = k.measured_at
FROM known k WHERE posts.rowid = k.row AND k.is_measured;
UPDATE posts SET matched = k.matched, author_handle = coalesce(k.author_handle, posts.author_handle)
FROM known k WHERE posts.rowid = k.row
    AND (posts.matched <> k.matched OR (k.author_handle IS NOT NULL AND posts.author_handle IS DISTINCT FROM k.author_handle));

CREATE TEMP TABLE fresh AS
SELECT * FROM incoming WHERE key NOT IN (SELECT key FROM hit) AND len(matched) > 0;
INSERT INTO posts BY NAME
SELECT
    * EXCLUDE (ord),
    0 AS revision,
    $now AS stored_at,
    author_key IN (SELECT author_key FROM accounts WHERE status <> 'active') AS hidden
FROM fresh;

-- Context, whether the parent came first or last, and again when it was edited.
CREATE TEMP TABLE parent AS
SELECT key FROM fresh WHERE kind <> 'repost' UNION SELECT key FROM known WHERE is_edit;
CREATE TEMP TABLE child AS
SELECT c.rowid AS row, c.parent_key FROM posts c JOIN parent ON c.parent_key = parent.key WHERE c.kind <> 'repost'
UNION
SELECT c.rowid, c.parent_key FROM posts c JOIN fresh f ON c.key = f.key WHERE f.kind <> 'repost' AND f.parent_key IS NOT NULL;
CREATE TEMP TABLE parent_text AS
SELECT p.key, p.text FROM posts p JOIN (SELECT DISTINCT parent_key FROM child) c ON p.key = c.parent_key;
UPDATE posts SET context = t.text, revision = posts.revision + 1, model_id = NULL
FROM child c JOIN parent_text t ON t.key = c.parent_key
WHERE posts.rowid = c.row AND posts.context IS DISTINCT FROM t.text;
