-- What platforms were asked about stored posts; `proofs` holds what was done about their answers. No text or id stands here.
CREATE TABLE checks (
    name VARCHAR NOT NULL,         -- of X, its job's name there; of Bluesky, one pass over everything
    platform VARCHAR NOT NULL,
    state VARCHAR NOT NULL,        -- planned, created, uploaded, asking; applied, failed, expired
    job VARCHAR,                   -- X's id of it
    last VARCHAR,                  -- the key where the pass goes on when this is applied; NULL when it has ended
    begun_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    asked BIGINT NOT NULL,         -- ids
    named BIGINT NOT NULL          -- of these, what the platform does not show any more
);

-- Hashed ids of a check that has not ended; as a post that is forgotten meanwhile leaves nothing here.
CREATE TABLE asked (name VARCHAR NOT NULL, key UBIGINT NOT NULL);
