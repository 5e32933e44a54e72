-- question: in which group is each of these texts already, word for word?
-- params: forms (list)
-- columns: form, text_group
SELECT form, coalesce(min(joined), min(own)) AS text_group
FROM (
    SELECT text_form AS form, text_group AS joined, NULL AS own FROM posts
    UNION ALL
    SELECT text_group, NULL, text_group FROM text_groups
)
WHERE form IN (SELECT unnest($forms::UBIGINT[]))
GROUP BY form
