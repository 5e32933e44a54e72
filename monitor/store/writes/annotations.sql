-- One annotator's labels of a post replace what the same one said of it before. Staged: in_annotations.

CREATE TEMP TABLE annotated AS
SELECT p.key, a.*
FROM (SELECT *, md5_number_lower(platform || ' ' || post_id) AS a_key FROM in_annotations) a
JOIN posts p ON p.key = a.a_key AND p.revision = a.revision;

DELETE FROM annotations USING annotated n WHERE annotations.key = n.key AND annotations.annotator = n.annotator;
INSERT INTO annotations
SELECT key, revision, annotator, codebook, relevant, concern, removal, stance, note, $now FROM annotated;
