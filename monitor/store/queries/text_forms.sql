-- question: in which group is each of these texts already, word for word?
-- params: forms (list)
-- columns: form, text_group
SELECT text_form AS form, min(text_group) AS text_group
FROM posts
WHERE text_form IN (SELECT unnest($forms::UBIGINT[])) AND text_group IS NOT NULL
GROUP BY text_form
UNION ALL
SELECT text_group, text_group
FROM text_groups
WHERE text_group IN (SELECT unnest($forms::UBIGINT[])) AND text_group NOT IN (SELECT text_form FROM posts WHERE text_form IS NOT NULL)
