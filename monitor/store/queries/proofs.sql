-- question: what was removed, hidden or shown again since somebody asked for it, oldest first?
-- params: by_check (true: what answers of platforms did; false: who asked to be forgotten)
-- columns: those of the table
SELECT * FROM proofs WHERE ("check" IS NOT NULL) = $by_check ORDER BY done_at, platform, what, key
