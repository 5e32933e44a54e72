-- What was out of the ordinary. No post stands here: `thread` and `first` are keys, `phrases` are three words that several
-- authors said, and go when one of them asks to be forgotten. The program writes all but acknowledged_at and snoozed_until, which are people's.
CREATE TABLE alerts (
    id VARCHAR NOT NULL,
    topic VARCHAR NOT NULL,        -- empty: of no topic
    detector VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,      -- a stream, a budget; else empty
    began_at TIMESTAMP NOT NULL,   -- of what was measured
    fired_at TIMESTAMP NOT NULL,
    seen_at TIMESTAMP NOT NULL,    -- last time in alarm
    sentence VARCHAR NOT NULL,
    rate VARCHAR NOT NULL,
    effect DOUBLE,
    low DOUBLE,
    high DOUBLE,
    level DOUBLE,
    method VARCHAR,
    n BIGINT,
    thread UBIGINT,
    "first" UBIGINT,
    phrases VARCHAR[] NOT NULL,
    woken_at TIMESTAMP,
    escalated_at TIMESTAMP,
    resolved_at TIMESTAMP,
    acknowledged_at TIMESTAMP,
    snoozed_until TIMESTAMP
);

-- Who is told: a row is committed together with the state it tells of, before anything is sent. begun_at without sent_at: the
-- program stopped, or the target did not answer, while it was being told; then it is told again under the same key.
CREATE TABLE deliveries (
    alert VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    round BIGINT NOT NULL,
    target VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    begun_at TIMESTAMP,
    attempts INTEGER NOT NULL,
    sent_at TIMESTAMP,
    given_up BOOLEAN NOT NULL,
    fault VARCHAR NOT NULL
);
