-- Posts join the group of their text; a group that is new leaves a sketch of its first text. Staged: in_groups.
-- A post whose text changed meanwhile keeps waiting, and so does one that was near a text which is gone meanwhile: of
-- words that no post says any more neither hash nor sketch is written down.

-- A copy: DuckDB hands filters on to what is staged, and pyarrow takes no unsigned numbers of 64 bits there.
CREATE TEMP TABLE placed AS FROM in_groups;

CREATE TEMP TABLE grouped AS
SELECT p.rowid AS row, g.form, g.text_group
FROM posts p JOIN placed g ON p.key = g.key AND p.revision = g.revision;

INSERT INTO text_groups
SELECT text_group, sketch FROM placed
WHERE len(sketch) > 0 AND text_group IN (SELECT form FROM grouped) AND text_group NOT IN (
    SELECT text_group FROM text_groups WHERE text_group IN (SELECT text_group FROM placed)
);

UPDATE posts SET text_form = g.form, text_group = g.text_group
FROM grouped g
WHERE posts.rowid = g.row
    AND (g.form IS NULL OR g.form = g.text_group OR g.text_group IN (SELECT text_group FROM text_groups));
