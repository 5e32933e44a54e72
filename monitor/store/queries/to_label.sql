-- question: which posts of a sample has this annotator not labelled as they stand now, in the order they were drawn?
-- params: sample, annotator, codebook (version)
-- columns: platform, post_id, text, context, lang, revision
SELECT p.platform, p.post_id, p.text, p.context, p.lang, p.revision
FROM samples s
JOIN posts p ON p.key = s.key
ANTI JOIN (SELECT * FROM annotations WHERE annotator = $annotator AND codebook = $codebook) a ON a.key = p.key AND a.revision = p.revision
WHERE s.name = $sample AND NOT p.hidden
ORDER BY s.place
