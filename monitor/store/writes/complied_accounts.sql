-- The proof of whose posts a check hid or showed again. Reads `account_row` of `accounts`. Staged: in_checks.

INSERT INTO complied
SELECT
    'author', p.platform, p.author_key, $now,
    count(*) FILTER (WHERE p.kind <> 'repost'), count(*) FILTER (WHERE p.kind = 'repost'), 0, 0, 0, 0,
    (SELECT max(name) FROM in_checks), CASE WHEN r.is_hiding THEN 'hidden' ELSE 'shown' END, any_value(o.status)
FROM account_row r
JOIN posts p ON p.rowid = r.row
JOIN accounts o USING (author_key)
WHERE r.is_hiding OR r.is_showing
GROUP BY p.platform, p.author_key, r.is_hiding;
