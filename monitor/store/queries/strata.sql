-- question: of what was a sample drawn?
-- params: sample
-- columns: stratum, posts, slices, drawn
SELECT stratum, posts, slices, drawn FROM strata WHERE sample = $sample ORDER BY stratum
