-- What somebody asked to be forgotten, and how many rows went: the tombstone that nothing passes, and the proof. Rows are
-- only ever added. No text, handle or id stands here.
CREATE TABLE forgotten (
    what VARCHAR NOT NULL,         -- 'author' or 'post'
    platform VARCHAR NOT NULL,
    key UBIGINT NOT NULL,          -- the author's `author_key` or the post's `key`
    forgotten_at TIMESTAMP NOT NULL,
    posts BIGINT NOT NULL,         -- hidden ones included, reposts not
    reposts BIGINT NOT NULL,
    scores BIGINT NOT NULL,
    annotations BIGINT NOT NULL,
    samples BIGINT NOT NULL,
    contexts BIGINT NOT NULL,      -- copies of the text in others' replies and quotes
    rejected BIGINT NOT NULL,      -- examples of what could not be kept
    accounts BIGINT NOT NULL,
    tombstones BIGINT NOT NULL,    -- those of earlier deletions, reduced to their keys
    mentions BIGINT NOT NULL       -- posts by others that still hold the id or @handle, in their own words
);

-- Of platform and the author of `context`, where the parent's id does not tell them (X) and the parent may not be stored.
ALTER TABLE posts ADD COLUMN context_author_key UBIGINT;
