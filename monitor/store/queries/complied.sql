-- question: which posts and authors did checks delete, hide, show again or scrub, oldest first?
-- params: none
-- columns: those of the table
SELECT * FROM complied ORDER BY complied_at, platform, what, key
