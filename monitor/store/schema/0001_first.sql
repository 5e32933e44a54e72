-- Every time is UTC in a plain TIMESTAMP: TIMESTAMPTZ arithmetic needs DuckDB's icu extension, which the wheel does
-- not carry and which would have to be fetched from the network.
--
-- No primary keys: on the big tables an index made the file four times as large and slowed no look-up worth having.
-- `key`, `author_key` and `parent_key` are 64-bit hashes (md5_number_lower) of the ids; scanning them for a batch
-- takes 6 ms per million rows against 60 for the ids themselves. Uniqueness is kept by the one way in (writes/).

CREATE TABLE posts (
    key UBIGINT NOT NULL,          -- of platform and post_id
    author_key UBIGINT NOT NULL,   -- of platform and author_id
    parent_key UBIGINT,            -- of platform and the first of reply_to, quote_of, repost_of
    platform VARCHAR NOT NULL,
    post_id VARCHAR NOT NULL,
    author_id VARCHAR NOT NULL,
    author_handle VARCHAR,
    text VARCHAR NOT NULL,
    lang VARCHAR,
    kind VARCHAR NOT NULL,
    reply_to VARCHAR,
    quote_of VARCHAR,
    repost_of VARCHAR,
    context VARCHAR,
    created_at TIMESTAMP,          -- the author's claim
    observed_at TIMESTAMP NOT NULL,
    source VARCHAR NOT NULL,
    matched VARCHAR[] NOT NULL,
    sample_weight DOUBLE NOT NULL,
    likes BIGINT,
    reposts BIGINT,
    replies BIGINT,
    quotes BIGINT,
    measured_at TIMESTAMP,
    raw VARCHAR,
    version_at TIMESTAMP NOT NULL, -- platform time of the text that stands here; an older one never replaces it
    edited_at TIMESTAMP,
    revision INTEGER NOT NULL,     -- grows with text and context; a score of an older revision is not taken
    stored_at TIMESTAMP NOT NULL,
    hidden BOOLEAN NOT NULL,
    relevant FLOAT,
    concern FLOAT,                 -- expected level, 0 to 3
    concern_probs FLOAT[],
    removal_probs FLOAT[],
    stance_probs FLOAT[],
    concern_label UTINYINT,
    removal_label VARCHAR,
    stance_label VARCHAR,
    model_id VARCHAR,
    scored_at TIMESTAMP
);

CREATE TABLE scores (
    key UBIGINT NOT NULL,
    revision INTEGER NOT NULL,
    model_id VARCHAR NOT NULL,
    relevant FLOAT NOT NULL,
    concern_probs FLOAT[] NOT NULL,
    removal_probs FLOAT[] NOT NULL,
    stance_probs FLOAT[] NOT NULL,
    scored_at TIMESTAMP NOT NULL
);

-- `key` is a post's, or its author's where post_id is NULL: then everything by that author is gone.
CREATE TABLE tombstones (
    key UBIGINT NOT NULL,
    platform VARCHAR NOT NULL,
    post_id VARCHAR,
    author_id VARCHAR NOT NULL,
    gone_at TIMESTAMP NOT NULL,    -- by the platform's clock
    noted_at TIMESTAMP NOT NULL,   -- by ours
    was VARCHAR                    -- kind of the post that was stored here; NULL where none was
);

-- A deletion is an outcome: counted by its last labels, without text, author or id.
CREATE TABLE departures (
    platform VARCHAR NOT NULL,
    hour TIMESTAMP NOT NULL,
    why VARCHAR NOT NULL,
    topic VARCHAR NOT NULL,
    concern_label UTINYINT,
    removal_label VARCHAR,
    n BIGINT NOT NULL
);

CREATE TABLE accounts (
    author_key UBIGINT NOT NULL,
    platform VARCHAR NOT NULL,
    author_id VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    changed_at TIMESTAMP NOT NULL
);

CREATE TABLE cursors (stream VARCHAR NOT NULL, value VARCHAR NOT NULL, event_at TIMESTAMP, moved_at TIMESTAMP NOT NULL);

CREATE TABLE gaps (
    stream VARCHAR NOT NULL,
    start TIMESTAMP NOT NULL,
    "end" TIMESTAMP,               -- NULL while it is open
    why VARCHAR NOT NULL,
    filled_by VARCHAR
);

CREATE TABLE seen (stream VARCHAR NOT NULL, hour TIMESTAMP NOT NULL, n BIGINT NOT NULL);

CREATE TABLE rejected (stream VARCHAR NOT NULL, why VARCHAR NOT NULL, rejected_at TIMESTAMP NOT NULL, raw VARCHAR NOT NULL);

CREATE TABLE rejected_counts (stream VARCHAR NOT NULL, why VARCHAR NOT NULL, n BIGINT NOT NULL);

CREATE TABLE marks (key VARCHAR NOT NULL, value VARCHAR NOT NULL);
