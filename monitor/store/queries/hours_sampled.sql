-- question: what do posts of samples say that count as several, slice by slice of time as they were drawn? Posts and
--   buckets as in hours. A post outside of all stored slices was drawn for itself.
-- params: start, end, seconds (width of a bucket), topics, langs, platforms (lists; NULL takes all)
-- columns: bucket, unit (number of the slice or post; a slice over the edge of two buckets has a row in each), stratum (NULL
--   where a post was drawn for itself), drawn (slices of the stratum), weight, and what was read, not weighted: posts,
--   concern (sum), concern2, considering, committed, done, blocked
WITH told AS (
    SELECT
        floor((epoch_us(observed_at) - epoch_us($start::TIMESTAMP)) / ($seconds * 1e6))::INTEGER AS bucket,
        key, observed_at, sample_weight AS weight, concern, concern_label, removal_label,
        unnest(list_distinct(list_transform(matched, lambda m: split_part(m, '/', 1)))) AS topic
    FROM posts
    WHERE sample_weight > 1 AND observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
        AND model_id IS NOT NULL AND relevant >= 0.5
        AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
), slice AS (
    SELECT split_part(s.sample, ':', 3) AS topic, s.sample || '/' || s.stratum AS stratum, s.start, s."end", s.weight, t.drawn
    FROM slices s JOIN strata t USING (sample, stratum)
), placed AS (
    SELECT told.*, slice.start AS slice_start, slice.stratum, slice.drawn, coalesce(observed_at < slice."end", false) AS is_in
    FROM told ASOF LEFT JOIN slice
        ON told.topic = slice.topic AND told.weight = slice.weight AND told.observed_at >= slice.start
    -- Of a post on two topics that were both sampled, the slice of the topic that is asked for.
    QUALIFY row_number() OVER (
        PARTITION BY key ORDER BY is_in DESC, coalesce(list_contains($topics, told.topic), false) DESC, told.topic) = 1
), unit AS (
    SELECT
        * EXCLUDE (stratum, drawn),
        CASE WHEN is_in THEN stratum END AS stratum,
        CASE WHEN is_in THEN drawn ELSE 0 END AS drawn,
        CASE WHEN is_in THEN slice_start::VARCHAR ELSE key::VARCHAR END AS unit
    FROM placed
)
SELECT
    bucket, dense_rank() OVER (ORDER BY stratum, unit) - 1 AS unit, stratum, drawn, weight,
    count(*) AS posts,
    coalesce(sum(concern), 0) AS concern,
    count(*) FILTER (concern_label >= 2) AS concern2,
    count(*) FILTER (removal_label = 'considering') AS considering,
    count(*) FILTER (removal_label = 'committed') AS committed,
    count(*) FILTER (removal_label = 'done') AS done,
    count(*) FILTER (removal_label = 'blocked') AS blocked
FROM unit
GROUP BY bucket, stratum, drawn, weight, unit
ORDER BY bucket, stratum, unit
