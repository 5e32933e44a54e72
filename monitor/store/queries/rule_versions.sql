-- question: which rules did each topic have, and since when?
-- params: none
-- columns: topic, number, rules, since
SELECT topic, number, rules, since FROM rule_versions ORDER BY topic, number
