-- question: which stretches of time were drawn for a sample?
-- params: sample
-- columns: start, end, stratum, weight
SELECT start, "end", stratum, weight FROM slices WHERE sample = $sample ORDER BY start
