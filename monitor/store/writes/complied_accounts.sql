-- The proof of whose posts a check hid or showed again. Reads `account_row` of `accounts`. Staged: in_checks.

INSERT INTO proofs BY NAME
SELECT
    'author' AS what, p.platform, p.author_key AS key, $now AS done_at,
    CASE WHEN r.is_hiding THEN 'hidden' ELSE 'shown' END AS action, any_value(o.status) AS why,
    (SELECT max(name) FROM in_checks) AS "check",
    count(*) FILTER (WHERE p.kind <> 'repost') AS posts, count(*) FILTER (WHERE p.kind = 'repost') AS reposts
FROM account_row r
JOIN posts p ON p.rowid = r.row
JOIN accounts o USING (author_key)
WHERE r.is_hiding OR r.is_showing
GROUP BY p.platform, p.author_key, r.is_hiding;
