-- The primary subtag of a deleted post's language, "und" where it said none; NULL in what left before this was kept.
ALTER TABLE departures ADD COLUMN lang VARCHAR;
