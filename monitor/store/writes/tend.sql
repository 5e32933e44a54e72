-- What need not be kept for ever. A tombstone of a post that we never stored guards against a replay of its create, and
-- no stream replays further back than 36 hours; all deletions of a network come to half a million rows a day.
-- Rejected rows are counted for ever and kept as examples for a week: they are other people's words.
DELETE FROM tombstones WHERE was IS NULL AND post_id IS NOT NULL AND noted_at < $now - INTERVAL 48 HOURS;
DELETE FROM rejected WHERE rejected_at < $now - INTERVAL 7 DAYS;
DELETE FROM rejected WHERE rowid IN (SELECT rowid FROM rejected ORDER BY rejected_at DESC OFFSET 100000);
-- The sketch of a text that nobody's post holds any more; here, since it scans too much for every deletion.
DELETE FROM text_groups WHERE text_group NOT IN (SELECT text_group FROM posts WHERE text_group IS NOT NULL);
-- X bills by the UTC day: who was billed on an earlier one does not matter any more.
DELETE FROM charged WHERE day < CAST($now AS DATE) - 1;
