-- What platforms were asked about stored posts, and what was done about their answers. No text stands here.
CREATE TABLE checks (
    name VARCHAR NOT NULL,         -- of X, its job's name there; of Bluesky, one pass over everything
    platform VARCHAR NOT NULL,
    state VARCHAR NOT NULL,        -- planned, created, uploaded, asking; applied, failed, expired
    job VARCHAR,                   -- X's id of it
    last VARCHAR,                  -- where the pass goes on when this is applied; NULL when it has ended
    begun_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    asked BIGINT NOT NULL,         -- ids
    named BIGINT NOT NULL          -- of these, what the platform does not show any more
);

-- Hashed ids of a check that has not ended; as a post that is forgotten meanwhile leaves nothing here.
CREATE TABLE asked (name VARCHAR NOT NULL, key UBIGINT NOT NULL);

-- The proof: one row for each post or author of which something was done. Rows are only ever added. Columns that
-- `forgotten` has as well mean the same there, so the two read as one log with UNION ALL BY NAME.
CREATE TABLE complied (
    what VARCHAR NOT NULL,         -- 'author' or 'post'
    platform VARCHAR NOT NULL,
    key UBIGINT NOT NULL,          -- the author's `author_key` or the post's `key`
    complied_at TIMESTAMP NOT NULL,
    posts BIGINT NOT NULL,         -- reposts not
    reposts BIGINT NOT NULL,
    scores BIGINT NOT NULL,
    annotations BIGINT NOT NULL,
    samples BIGINT NOT NULL,
    contexts BIGINT NOT NULL,      -- copies of the text in others' replies and quotes
    "check" VARCHAR NOT NULL,
    action VARCHAR NOT NULL,       -- 'deleted', 'hidden', 'shown', 'scrubbed' (the payload went, the text stays)
    why VARCHAR NOT NULL
);
