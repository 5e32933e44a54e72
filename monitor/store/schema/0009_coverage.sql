-- Kinds of source (live, search, import) that found the post, where there are several; NULL: `source` alone. Posts from
-- before this migration that a second source found again show their first source only; see `migrations.applied_at`.
ALTER TABLE posts ADD COLUMN sources VARCHAR[];

-- When a stream first moved, by the platform's clock where it says one; NULL in what began before this was kept.
ALTER TABLE cursors ADD COLUMN begun_at TIMESTAMP;
