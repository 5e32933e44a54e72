-- A sample, once: who asks for the same again goes on with what was drawn. Staged: in_strata, in_slices.
INSERT INTO strata SELECT $sample, stratum, posts, slices, drawn FROM in_strata
WHERE NOT EXISTS (FROM slices WHERE sample = $sample);
INSERT INTO slices SELECT $sample, stratum, start, "end", weight FROM in_slices
WHERE NOT EXISTS (FROM slices WHERE sample = $sample);
