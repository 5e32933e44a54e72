-- The proof of what a check removes, written before it goes. Staged: in_deletions, in_checks.

INSERT INTO proofs BY NAME
WITH leaving AS (
    SELECT md5_number_lower(platform || ' ' || post_id) AS key, platform, min(why) AS why FROM in_deletions GROUP BY ALL
),
child AS (
    SELECT parent_key AS key, count(*) AS n FROM posts
    WHERE context IS NOT NULL AND parent_key IN (SELECT key FROM leaving)
    GROUP BY ALL
),
scored AS (SELECT key, count(*) AS n FROM scores WHERE key IN (SELECT key FROM leaving) GROUP BY ALL),
labelled AS (SELECT key, count(*) AS n FROM annotations WHERE key IN (SELECT key FROM leaving) GROUP BY ALL),
drawn AS (SELECT key, count(*) AS n FROM samples WHERE key IN (SELECT key FROM leaving) GROUP BY ALL)
SELECT
    'post' AS what, l.platform, l.key, $now AS done_at,
    'deleted' AS action, l.why, (SELECT max(name) FROM in_checks) AS "check",
    (p.key IS NOT NULL AND p.kind <> 'repost')::BIGINT AS posts,
    (p.key IS NOT NULL AND p.kind = 'repost')::BIGINT AS reposts,
    coalesce(s.n, 0) AS scores, coalesce(a.n, 0) AS annotations, coalesce(d.n, 0) AS samples, coalesce(c.n, 0) AS contexts
FROM leaving l
LEFT JOIN posts p ON p.key = l.key
LEFT JOIN child c ON c.key = l.key
LEFT JOIN scored s ON s.key = l.key
LEFT JOIN labelled a ON a.key = l.key
LEFT JOIN drawn d ON d.key = l.key
WHERE p.key IS NOT NULL OR c.n > 0;
