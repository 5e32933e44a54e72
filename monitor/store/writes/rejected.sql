-- What could not be kept: an example each, and counted for ever. Staged: in_rejected.
-- No example is kept that holds the id of an author who asked to be forgotten.
INSERT INTO rejected
SELECT stream, why, rejected_at, raw
FROM in_rejected
WHERE NOT list_has_any(
    list_concat(
        list_transform(regexp_extract_all(raw, 'did:[a-z]+:[\w.:%-]*[\w]'), lambda d: md5_number_lower('bluesky ' || d)),
        list_transform(regexp_extract_all(raw, '\d+'), lambda d: md5_number_lower('x ' || d))
    ),
    (SELECT coalesce(list(key), []::UBIGINT[]) FROM forgotten WHERE what = 'author')
);
MERGE INTO rejected_counts c USING (SELECT stream, why, count(*) AS n FROM in_rejected GROUP BY ALL) i
ON c.stream = i.stream AND c.why = i.why
WHEN MATCHED THEN UPDATE SET n = c.n + i.n
WHEN NOT MATCHED THEN INSERT VALUES (i.stream, i.why, i.n);
