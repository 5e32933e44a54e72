-- question: whose scores are shown?
-- params: none
-- columns: model_id, n
SELECT model_id, count(*) AS n FROM posts WHERE model_id IS NOT NULL AND NOT hidden GROUP BY model_id ORDER BY n DESC
