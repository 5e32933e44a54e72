-- question: how many authors and distinct texts are behind the visible posts?
-- params: none
-- columns: authors, texts (a post that is not grouped yet is a text of its own)
SELECT count(DISTINCT author_key) AS authors, count(DISTINCT coalesce(text_group, key)) AS texts
FROM posts
WHERE kind <> 'repost' AND NOT hidden
