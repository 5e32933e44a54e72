-- question: where do the rows of the groups' sketches end?
-- params: none
-- columns: last (row id, exclusive)
SELECT coalesce(max(rowid) + 1, 0) AS last FROM text_groups
