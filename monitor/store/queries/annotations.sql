-- question: what did people say of the posts as they stand now?
-- params: codebook (version; what was said by another is left out)
-- columns: platform, post_id, author_id, text, context, lang, matched, annotator, relevant, concern, removal, stance, note
SELECT
    p.platform, p.post_id, p.author_id, p.text, p.context, p.lang, p.matched,
    a.annotator, a.relevant, a.concern, a.removal, a.stance, a.note
FROM annotations a JOIN posts p ON p.key = a.key AND p.revision = a.revision
WHERE NOT p.hidden AND a.codebook = $codebook
ORDER BY p.platform, p.post_id, a.annotator
