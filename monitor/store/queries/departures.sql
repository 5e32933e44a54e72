-- question: how many stored posts left, when, why, and what was their last label?
-- params: none
-- columns: platform, hour, why, topic, concern_label, removal_label, n
SELECT platform, hour, why, topic, concern_label, removal_label, sum(n)::BIGINT AS n
FROM departures
GROUP BY ALL
ORDER BY hour, platform, topic, why
