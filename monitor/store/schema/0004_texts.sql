-- Posts that say the same share a `text_group`. Both are 64-bit hashes: `text_form` of the post's own words, `text_group`
-- of the words of the first post of its group, so that it outlives that post. NULL until a post is grouped.
ALTER TABLE posts ADD COLUMN text_form UBIGINT;
ALTER TABLE posts ADD COLUMN text_group UBIGINT;

-- What finds texts nearly the same as the first of a group (MinHash, see monitor/analyse/sketch.py); no text can be read
-- from it. Only of groups that near-identical texts may join: texts of a few words have none.
CREATE TABLE text_groups (text_group UBIGINT NOT NULL, sketch UINTEGER[] NOT NULL);
