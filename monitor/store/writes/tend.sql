-- What need not be kept for ever. A tombstone of a post that we never stored guards against a replay of its create;
-- no stream replays further back than 36 hours. Rejected rows are counted for ever and kept as examples.
DELETE FROM tombstones WHERE NOT was_stored AND gone_at < $now - INTERVAL 7 DAYS;
DELETE FROM rejected WHERE rowid IN (SELECT rowid FROM rejected ORDER BY rejected_at DESC OFFSET 100000);
