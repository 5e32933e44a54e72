-- question: which languages, platforms and sources are there to choose from?
-- params: none
-- columns: lang, platform, source, n (posts that have them; no reposts)
SELECT coalesce(split_part(lang, '-', 1), 'und') AS lang, platform, source, count(*) AS n
FROM posts
WHERE kind <> 'repost' AND NOT hidden
GROUP BY ALL
ORDER BY n DESC, lang, platform, source
