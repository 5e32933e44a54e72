-- question: which groups share a band of their sketch with any of these, among those from row first to row last?
-- params: bands (list), first, last (row ids, last exclusive)
-- columns: text_group, sketch; in the order in which the groups were made
WITH part AS (SELECT rowid AS row, text_group, sketch FROM text_groups WHERE rowid >= $first AND rowid < $last)
SELECT text_group, sketch
FROM part
WHERE row IN (SELECT row FROM (SELECT row, unnest(sketch) AS band FROM part) WHERE band IN (SELECT unnest($bands::UINTEGER[])))
ORDER BY row
