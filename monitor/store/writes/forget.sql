-- Somebody asked to be forgotten: an author with everything, or one post. Params: what ('author', 'post'), platform, id
-- (author_id or post_id), handle ('' for none). Leaves `forgetting`, the row that is added to `proofs`.

CREATE TEMP TABLE meant AS
SELECT $what AS what, $platform AS platform, $id AS id, md5_number_lower($platform || ' ' || $id) AS key;

CREATE TEMP TABLE forgotten_row AS
SELECT p.rowid AS row, p.key, p.kind, p.author_handle
FROM posts p, meant a
WHERE (a.what = 'author' AND p.author_key = a.key) OR (a.what = 'post' AND p.key = a.key);

CREATE TEMP TABLE named AS
SELECT lower(id) AS name, lower(id) AS mention FROM meant
UNION
SELECT lower(handle), '@' || lower(handle)
FROM (SELECT author_handle AS handle FROM forgotten_row UNION SELECT $handle), meant
WHERE what = 'author' AND handle <> '';

-- A phrase of an alert may be theirs, where several said it.
UPDATE alerts SET phrases = []
WHERE EXISTS (
    SELECT 1 FROM posts p
    WHERE p.rowid IN (SELECT row FROM forgotten_row)
        AND p.observed_at >= alerts.began_at - INTERVAL 1 DAY AND p.observed_at < alerts.seen_at + INTERVAL 1 DAY
);
UPDATE alerts SET
    thread = CASE WHEN thread IN (SELECT key FROM forgotten_row) THEN NULL ELSE thread END,
    "first" = CASE WHEN "first" IN (SELECT key FROM forgotten_row) THEN NULL ELSE "first" END;

CREATE TEMP TABLE forgotten_context AS
SELECT p.rowid AS row
FROM posts p, meant a
WHERE p.context IS NOT NULL AND p.platform = a.platform AND p.rowid NOT IN (SELECT row FROM forgotten_row)
    AND (p.parent_key IN (SELECT key FROM forgotten_row)
        OR (a.what = 'post' AND p.parent_key = a.key)
        OR (a.what = 'author' AND p.context_author_key = a.key)
        OR (a.what = 'author' AND split_part(coalesce(p.reply_to, p.quote_of), '/', 3) = a.id));

-- A short handle takes examples along that are not about its owner. They are counted all the same, and live a week.
CREATE TEMP TABLE forgotten_example AS
SELECT DISTINCT r.rowid AS row
FROM rejected r, named n, meant a
WHERE contains(lower(r.raw), n.name)
    -- An event names a post's author and record key apart.
    OR (a.what = 'post' AND starts_with(a.id, 'at://')
        AND contains(r.raw, split_part(a.id, '/', 3)) AND contains(r.raw, split_part(a.id, '/', 5)));

CREATE TEMP TABLE forgotten_stone AS
SELECT t.rowid AS row
FROM tombstones t, meant a
WHERE (a.what = 'author' AND t.platform = a.platform AND t.author_id = a.id)
    OR (a.what = 'post' AND t.key = a.key AND t.post_id = a.id);

-- Column by column: a million posts take 0.6 s, and 3 s where all is joined to one text first.
CREATE TEMP TABLE mentioning AS
SELECT DISTINCT p.rowid AS row
FROM posts p, meant a, named n
WHERE p.platform = a.platform AND p.rowid NOT IN (SELECT row FROM forgotten_row)
    AND (contains(lower(p.text), n.mention) OR contains(lower(p.raw), n.mention)
        OR contains(p.reply_to, a.id) OR contains(p.quote_of, a.id) OR contains(p.repost_of, a.id));

CREATE TEMP TABLE forgetting AS
SELECT
    what, platform, key, $now::TIMESTAMP AS done_at, 'forgotten' AS action, 'request' AS why, NULL::VARCHAR AS "check",
    (SELECT count(*) FROM forgotten_row WHERE kind <> 'repost') AS posts,
    (SELECT count(*) FROM forgotten_row WHERE kind = 'repost') AS reposts,
    (SELECT count(*) FROM scores WHERE key IN (SELECT key FROM forgotten_row)) AS scores,
    (SELECT count(*) FROM annotations WHERE key IN (SELECT key FROM forgotten_row)) AS annotations,
    (SELECT count(*) FROM samples WHERE key IN (SELECT key FROM forgotten_row)) AS samples,
    (SELECT count(*) FROM forgotten_context) AS contexts,
    (SELECT count(*) FROM forgotten_example) AS rejected,
    (SELECT count(*) FROM accounts WHERE what = 'author' AND author_key = key) AS accounts,
    (SELECT count(*) FROM forgotten_stone) AS tombstones,
    (SELECT count(*) FROM mentioning) AS mentions
FROM meant;
INSERT INTO proofs BY NAME SELECT * FROM forgetting;

UPDATE tombstones SET author_id = '', post_id = CASE WHEN post_id IS NOT NULL THEN '' END
WHERE rowid IN (SELECT row FROM forgotten_stone);
-- The keys of the posts stay: of X, the id of a post does not tell whose text a reply or quote of it brings along.
MERGE INTO tombstones t USING (SELECT r.key, r.kind, a.platform FROM forgotten_row r, meant a) g ON t.key = g.key
WHEN MATCHED THEN UPDATE SET was = g.kind
WHEN NOT MATCHED THEN INSERT VALUES (g.key, g.platform, '', '', $now, $now, g.kind);

UPDATE posts SET context = NULL WHERE rowid IN (SELECT row FROM forgotten_context);
DELETE FROM rejected WHERE rowid IN (SELECT row FROM forgotten_example);
DELETE FROM accounts WHERE author_key IN (SELECT key FROM meant WHERE what = 'author');
-- A recheck stands at the last post it meant for; it begins anew.
UPDATE cursors SET value = '' FROM meant a
WHERE value = a.id OR (a.what = 'author' AND starts_with(value, 'at://' || a.id || '/'));
DELETE FROM scores WHERE key IN (SELECT key FROM forgotten_row);
DELETE FROM annotations WHERE key IN (SELECT key FROM forgotten_row);
DELETE FROM samples WHERE key IN (SELECT key FROM forgotten_row);
DELETE FROM posts WHERE rowid IN (SELECT row FROM forgotten_row);
-- Hashes and sketches of words that no post says any more. Whoever said nearly the same is grouped anew.
UPDATE posts SET text_form = NULL, text_group = NULL
WHERE text_form <> text_group AND text_group NOT IN (SELECT text_form FROM posts WHERE text_form IS NOT NULL);
DELETE FROM text_groups WHERE text_group NOT IN (SELECT text_group FROM posts WHERE text_group IS NOT NULL);
