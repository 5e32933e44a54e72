-- Deletions of posts and of whole accounts. Staged: in_deletions, in_accounts.

CREATE TEMP TABLE gone AS
SELECT md5_number_lower(platform || ' ' || post_id) AS key, platform, post_id, author_id, deleted_at AS gone_at, why
FROM in_deletions
QUALIFY row_number() OVER (PARTITION BY platform, post_id ORDER BY deleted_at, ord) = 1
UNION ALL
SELECT md5_number_lower(platform || ' ' || author_id), platform, NULL, author_id, max(changed_at), 'account'
FROM in_accounts WHERE status = 'deleted' GROUP BY platform, author_id;

CREATE TEMP TABLE gone_row AS
SELECT p.rowid AS row, p.key, g.why, g.gone_at FROM posts p JOIN gone g ON p.key = g.key AND g.post_id IS NOT NULL
UNION ALL
SELECT p.rowid, p.key, g.why, g.gone_at FROM posts p JOIN gone g ON p.author_key = g.key AND g.post_id IS NULL;
CREATE OR REPLACE TEMP TABLE gone_row AS
SELECT * FROM gone_row QUALIFY row_number() OVER (PARTITION BY row ORDER BY gone_at) = 1;

INSERT INTO departures
SELECT p.platform, date_trunc('hour', r.gone_at), r.why, t.topic, p.concern_label, p.removal_label, count(*)
FROM gone_row r
JOIN posts p ON p.rowid = r.row AND p.kind <> 'repost',
    LATERAL (SELECT DISTINCT split_part(m, '/', 1) AS topic FROM (SELECT unnest(p.matched) AS m)) t
GROUP BY ALL;

INSERT INTO tombstones
SELECT g.key, g.platform, g.post_id, g.author_id, g.gone_at, false
FROM gone g WHERE g.key NOT IN (SELECT key FROM tombstones);
UPDATE tombstones SET gone_at = g.gone_at
FROM gone g WHERE tombstones.key = g.key AND g.post_id IS NULL AND g.gone_at > tombstones.gone_at;
INSERT INTO tombstones
SELECT p.key, p.platform, p.post_id, p.author_id, r.gone_at, true
FROM gone_row r JOIN posts p ON p.rowid = r.row WHERE p.key NOT IN (SELECT key FROM tombstones);
UPDATE tombstones SET was_stored = true WHERE NOT was_stored AND key IN (SELECT key FROM gone_row);

-- The context of a reply is the deleted author's text.
UPDATE posts SET context = NULL
WHERE parent_key IN (SELECT key FROM gone_row) AND context IS NOT NULL;
DELETE FROM scores WHERE key IN (SELECT key FROM gone_row);
DELETE FROM posts WHERE rowid IN (SELECT row FROM gone_row);
