-- question: what was asked to be forgotten, and what went with it, oldest first?
-- params: none
-- columns: those of the table
SELECT * FROM forgotten ORDER BY forgotten_at, what, key
