-- Tombstones of posts and of whole accounts. Staged: in_deletions, in_accounts. `removals` follows where rows are hit.
-- Of those who asked to be forgotten a tombstone holds no id.

CREATE TEMP TABLE nameless AS SELECT key FROM forgotten WHERE what = 'author';

CREATE TEMP TABLE gone AS
SELECT
    md5_number_lower(platform || ' ' || post_id) AS key, platform,
    CASE WHEN md5_number_lower(platform || ' ' || author_id) IN (SELECT key FROM nameless) THEN '' ELSE post_id END AS post_id,
    CASE WHEN md5_number_lower(platform || ' ' || author_id) IN (SELECT key FROM nameless) THEN '' ELSE author_id END
        AS author_id,
    deleted_at AS gone_at, why
FROM (FROM in_deletions QUALIFY row_number() OVER (PARTITION BY platform, post_id ORDER BY deleted_at, ord) = 1)
UNION ALL
SELECT md5_number_lower(platform || ' ' || author_id), platform, NULL, author_id, max(changed_at), 'account'
FROM in_accounts
WHERE status = 'deleted' AND md5_number_lower(platform || ' ' || author_id) NOT IN (SELECT key FROM nameless)
GROUP BY platform, author_id;

MERGE INTO tombstones t USING gone g ON t.key = g.key
WHEN MATCHED AND g.post_id IS NULL AND g.gone_at > t.gone_at THEN UPDATE SET gone_at = g.gone_at
WHEN NOT MATCHED THEN INSERT VALUES (g.key, g.platform, g.post_id, g.author_id, g.gone_at, $now, NULL);

CREATE TEMP TABLE gone_row AS
SELECT p.rowid AS row, p.key, g.why, g.gone_at
FROM posts p JOIN gone g ON p.key = g.key AND g.post_id IS NOT NULL
UNION ALL
SELECT p.rowid, p.key, g.why, g.gone_at
FROM posts p JOIN gone g ON p.author_key = g.key AND g.post_id IS NULL AND p.observed_at <= g.gone_at
WHERE p.key NOT IN (SELECT key FROM gone);

-- A text that came along with a reply or quote is its parent's, also where that was never stored.
UPDATE posts SET context = NULL
WHERE context IS NOT NULL AND parent_key IN (SELECT key FROM gone WHERE post_id IS NOT NULL);
UPDATE posts SET context = NULL
FROM (SELECT platform, author_id FROM gone WHERE post_id IS NULL) g
WHERE posts.context IS NOT NULL AND posts.platform = g.platform
    AND split_part(coalesce(posts.reply_to, posts.quote_of), '/', 3) = g.author_id;
