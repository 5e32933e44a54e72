-- Scores of the text they were made of: one of an older revision is not taken. Staged: in_scores.
-- A post that an earlier model scored keeps those scores until every post has new ones (`switched`).

CREATE TEMP TABLE scored AS
SELECT p.rowid AS row, s.*
FROM posts p
JOIN (SELECT *, md5_number_lower(platform || ' ' || post_id) AS key FROM in_scores) s ON p.key = s.key AND p.revision = s.revision;

UPDATE posts SET
    relevant = s.relevant, concern = s.concern, concern_probs = s.concern_probs, removal_probs = s.removal_probs,
    stance_probs = s.stance_probs, concern_label = s.concern_label, removal_label = s.removal_label,
    stance_label = s.stance_label, model_id = s.model_id, scored_at = $now
FROM scored s WHERE posts.rowid = s.row AND (posts.model_id IS NULL OR posts.model_id = s.model_id);

INSERT INTO scores
SELECT
    key, revision, model_id, relevant, concern_probs, removal_probs, stance_probs, $now,
    concern, concern_label, removal_label, stance_label
FROM scored;
