-- The rules of a topic as they stood from `since` on, by the platforms' clock; a new row only where they find other posts.
CREATE TABLE rule_versions (
    topic VARCHAR NOT NULL,
    number INTEGER NOT NULL,       -- 1, 2, ... of each topic
    rules VARCHAR NOT NULL,        -- JSON, in an order that does not depend on how they were written down
    since TIMESTAMP NOT NULL
);

-- "topic/number" of every version that found the post; NULL or empty: found before versions were kept.
ALTER TABLE posts ADD COLUMN versions VARCHAR[];
