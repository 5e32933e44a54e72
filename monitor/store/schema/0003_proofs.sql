-- What was removed or hidden since somebody asked for it: a person to be forgotten, or a platform that was asked what it
-- still shows. Rows are only ever added. No text, handle or id stands here.
CREATE TABLE proofs (
    what VARCHAR NOT NULL,         -- 'author' or 'post'
    platform VARCHAR NOT NULL,
    key UBIGINT NOT NULL,          -- the author's `author_key` or the post's `key`
    done_at TIMESTAMP NOT NULL,
    action VARCHAR NOT NULL,       -- 'forgotten', 'deleted', 'hidden', 'shown', 'scrubbed' (the payload went, the text stays)
    why VARCHAR NOT NULL,          -- 'request' of whoever was forgotten, else what the platform said
    "check" VARCHAR,               -- whose answer it was; NULL where a person asked
    posts BIGINT NOT NULL,         -- hidden ones included, reposts not
    reposts BIGINT NOT NULL,
    scores BIGINT NOT NULL DEFAULT 0,
    annotations BIGINT NOT NULL DEFAULT 0,
    samples BIGINT NOT NULL DEFAULT 0,
    contexts BIGINT NOT NULL DEFAULT 0,    -- copies of the text in others' replies and quotes
    rejected BIGINT NOT NULL DEFAULT 0,    -- examples of what could not be kept
    accounts BIGINT NOT NULL DEFAULT 0,
    tombstones BIGINT NOT NULL DEFAULT 0,  -- those of earlier deletions, reduced to their keys
    mentions BIGINT NOT NULL DEFAULT 0     -- posts by others that still hold the id or @handle, in their own words
);

-- The tombstones that nothing passes.
CREATE VIEW forgotten AS SELECT what, key FROM proofs WHERE action = 'forgotten';

-- Of platform and the author of `context`, where the parent's id does not tell them (X) and the parent may not be stored.
ALTER TABLE posts ADD COLUMN context_author_key UBIGINT;
