-- Posts join the group of their text; a group that is new leaves a sketch of its first text. Staged: in_groups.
-- A post whose text changed meanwhile keeps waiting.

CREATE TEMP TABLE grouped AS
SELECT p.rowid AS row, g.form, g.text_group
FROM posts p JOIN in_groups g ON p.key = g.key AND p.revision = g.revision;

UPDATE posts SET text_form = g.form, text_group = g.text_group FROM grouped g WHERE posts.rowid = g.row;

INSERT INTO text_groups
SELECT text_group, sketch FROM in_groups
WHERE len(sketch) > 0 AND text_group NOT IN (
    SELECT text_group FROM text_groups WHERE text_group IN (SELECT text_group FROM in_groups)
);
