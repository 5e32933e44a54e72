-- What X bills for this batch: nothing for what was read before on the same UTC day. Staged: in_charges, each once.
CREATE TEMP TABLE new_charge AS
SELECT day, item, md5_number_lower(i.key) AS key, microdollars
FROM in_charges i
WHERE NOT EXISTS (FROM charged c WHERE c.day = i.day AND c.item = i.item AND c.key = md5_number_lower(i.key));
INSERT INTO charged SELECT day, item, key FROM new_charge;
MERGE INTO spend s USING (
    SELECT day, item, count(*) AS n, sum(microdollars)::BIGINT AS microdollars FROM new_charge GROUP BY ALL
) i ON s.day = i.day AND s.item = i.item
WHEN MATCHED THEN UPDATE SET n = s.n + i.n, microdollars = s.microdollars + i.microdollars
WHEN NOT MATCHED THEN INSERT VALUES (i.day, i.item, i.n, i.microdollars);
DROP TABLE new_charge;
