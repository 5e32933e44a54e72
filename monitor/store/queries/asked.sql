-- question: which ids does a check of X ask about, who wrote them, and are they hidden? Without what went meanwhile.
-- params: name
-- columns: id, author_id ('' of what stands in replies only), hidden
SELECT p.post_id AS id, p.author_id, p.hidden
FROM posts p JOIN asked a ON a.key = p.key
WHERE a.name = $name
UNION
SELECT coalesce(p.reply_to, p.quote_of), '', false
FROM posts p JOIN asked a ON a.key = p.parent_key
WHERE a.name = $name AND p.context IS NOT NULL AND a.key NOT IN (SELECT key FROM posts)
ORDER BY id
