-- question: which languages, platforms and sources are there to choose from?
-- params: none
-- columns: what ('lang', 'platform', 'source'), value, n (posts without reposts)
SELECT 'lang' AS what, coalesce(split_part(lang, '-', 1), 'und') AS value, count(*) AS n
FROM posts WHERE kind <> 'repost' AND NOT hidden GROUP BY value
UNION ALL
SELECT 'platform', platform, count(*) FROM posts WHERE kind <> 'repost' AND NOT hidden GROUP BY platform
UNION ALL
SELECT 'source', source, count(*) FROM posts WHERE kind <> 'repost' AND NOT hidden GROUP BY source
ORDER BY what, n DESC, value
