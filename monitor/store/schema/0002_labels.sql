-- A whole rescoring becomes current in one step, from here: so the labels stand here too.
ALTER TABLE scores ADD COLUMN concern FLOAT;
ALTER TABLE scores ADD COLUMN concern_label UTINYINT;
ALTER TABLE scores ADD COLUMN removal_label VARCHAR;
ALTER TABLE scores ADD COLUMN stance_label VARCHAR;

-- What people said of a post; blind to each other, so one row for each of them. `revision` is that of the text they read.
CREATE TABLE annotations (
    key UBIGINT NOT NULL,
    revision INTEGER NOT NULL,
    annotator VARCHAR NOT NULL,
    codebook VARCHAR NOT NULL,
    relevant UTINYINT NOT NULL,
    concern UTINYINT NOT NULL,
    removal VARCHAR NOT NULL,
    stance VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    annotated_at TIMESTAMP NOT NULL
);

-- Posts drawn to be labelled. `probability` is the chance each had to be drawn, `place` the order to label them in.
CREATE TABLE samples (
    name VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    key UBIGINT NOT NULL,
    place INTEGER NOT NULL,
    probability DOUBLE NOT NULL,
    drawn_at TIMESTAMP NOT NULL
);
