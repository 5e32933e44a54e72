-- Stored posts that are gone: text, raw, scores and the copies of the text in replies. A count stays, and a tombstone.
-- Reads `gone_row` of `deletions`.

INSERT INTO departures BY NAME
SELECT
    p.platform, date_trunc('hour', r.gone_at) AS hour, r.why, t.topic, coalesce(split_part(p.lang, '-', 1), 'und') AS lang,
    p.concern_label, p.removal_label, count(*) AS n
FROM gone_row r
JOIN posts p ON p.rowid = r.row AND p.kind <> 'repost',
    LATERAL (SELECT DISTINCT split_part(m, '/', 1) AS topic FROM (SELECT unnest(p.matched) AS m)) t
GROUP BY ALL;

MERGE INTO tombstones t
USING (
    SELECT p.key, p.platform, p.post_id, p.author_id, p.kind, r.gone_at FROM gone_row r JOIN posts p ON p.rowid = r.row
) g
ON t.key = g.key
WHEN MATCHED THEN UPDATE SET was = g.kind
WHEN NOT MATCHED THEN INSERT VALUES (g.key, g.platform, g.post_id, g.author_id, g.gone_at, $now, g.kind);

-- The context of a reply is the deleted author's text.
UPDATE posts SET context = NULL
WHERE parent_key IN (SELECT key FROM gone_row) AND context IS NOT NULL;
DELETE FROM scores WHERE key IN (SELECT key FROM gone_row);
DELETE FROM annotations WHERE key IN (SELECT key FROM gone_row);
DELETE FROM samples WHERE key IN (SELECT key FROM gone_row);
DELETE FROM posts WHERE rowid IN (SELECT row FROM gone_row);
