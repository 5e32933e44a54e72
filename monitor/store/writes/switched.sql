-- The scores of one model become those that the pages show, all at once. Params: model_id.

CREATE TEMP TABLE chosen AS
SELECT * FROM scores WHERE model_id = $model_id AND concern_label IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY key, revision ORDER BY scored_at DESC) = 1;

UPDATE posts SET
    relevant = s.relevant, concern = s.concern, concern_probs = s.concern_probs, removal_probs = s.removal_probs,
    stance_probs = s.stance_probs, concern_label = s.concern_label, removal_label = s.removal_label,
    stance_label = s.stance_label, model_id = s.model_id, scored_at = s.scored_at
FROM chosen s
WHERE posts.key = s.key AND posts.revision = s.revision AND posts.model_id IS DISTINCT FROM s.model_id;
