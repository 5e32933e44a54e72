-- A sample of what a platform counts: stretches of time that were drawn to be read whole. An estimate needs the strata
-- as well as the weights of the posts.
CREATE TABLE strata (
    sample VARCHAR NOT NULL,       -- the stream that reads it
    stratum INTEGER NOT NULL,
    posts BIGINT NOT NULL,         -- that the platform counted in it
    slices BIGINT NOT NULL,        -- into which it was cut
    drawn BIGINT NOT NULL          -- of these
);

CREATE TABLE slices (
    sample VARCHAR NOT NULL,
    stratum INTEGER NOT NULL,
    start TIMESTAMP NOT NULL,
    "end" TIMESTAMP NOT NULL,
    weight DOUBLE NOT NULL         -- 1 over the chance to be drawn: sample_weight of each post in it
);
