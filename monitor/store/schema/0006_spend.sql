-- What was bought from X. `charged` holds hashed ids of today's and yesterday's reads alone: X bills each once per UTC day.
CREATE TABLE charged (day DATE NOT NULL, item VARCHAR NOT NULL, key UBIGINT NOT NULL);
CREATE TABLE spend (day DATE NOT NULL, item VARCHAR NOT NULL, n BIGINT NOT NULL, microdollars BIGINT NOT NULL);

-- How many posts of an hour the platform itself counts, for each query of a topic (its fingerprint).
CREATE TABLE counted (
    platform VARCHAR NOT NULL,
    topic VARCHAR NOT NULL,
    query VARCHAR NOT NULL,
    hour TIMESTAMP NOT NULL,
    n BIGINT NOT NULL,
    counted_at TIMESTAMP NOT NULL
);
