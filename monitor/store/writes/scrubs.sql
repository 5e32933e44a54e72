-- Where a post was written from is to be forgotten: it could stand in the payload alone. Staged: in_scrubs, in_checks.

CREATE TEMP TABLE scrubbed AS
SELECT p.rowid AS row, p.key, p.platform, p.kind
FROM posts p
WHERE p.raw IS NOT NULL AND p.key IN (SELECT md5_number_lower(platform || ' ' || post_id) FROM in_scrubs);

UPDATE posts SET raw = NULL WHERE rowid IN (SELECT row FROM scrubbed);
INSERT INTO complied
SELECT
    'post', platform, key, $now, (kind <> 'repost')::BIGINT, (kind = 'repost')::BIGINT, 0, 0, 0, 0,
    (SELECT max(name) FROM in_checks), 'scrubbed', 'geo'
FROM scrubbed;
