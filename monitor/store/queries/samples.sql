-- question: which samples were drawn, newest first?
-- params: none
-- columns: name, method, n, drawn_at
SELECT name, any_value(method) AS method, count(*) AS n, max(drawn_at) AS drawn_at
FROM samples GROUP BY name ORDER BY drawn_at DESC, name
