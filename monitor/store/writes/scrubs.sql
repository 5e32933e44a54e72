-- Where a post was written from is to be forgotten: it could stand in the payload alone. Staged: in_scrubs, in_checks.

CREATE TEMP TABLE scrubbed AS
SELECT p.rowid AS row, p.key, p.platform, p.kind
FROM posts p
WHERE p.raw IS NOT NULL AND p.key IN (SELECT md5_number_lower(platform || ' ' || post_id) FROM in_scrubs);

UPDATE posts SET raw = NULL WHERE rowid IN (SELECT row FROM scrubbed);
INSERT INTO proofs BY NAME
SELECT
    'post' AS what, platform, key, $now AS done_at, 'scrubbed' AS action, 'geo' AS why,
    (SELECT max(name) FROM in_checks) AS "check", (kind <> 'repost')::BIGINT AS posts, (kind = 'repost')::BIGINT AS reposts
FROM scrubbed;
