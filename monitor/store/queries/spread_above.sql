-- question: which of these posts are stored and not hidden, and what do they hang on? First found by their keys alone, then
--   read by their rows: that takes an eighth of the time.
-- params: keys (list), langs (list; NULL takes all)
-- columns: as in spread_posts
SELECT
    key,
    author_key AS author,
    epoch_us(observed_at) AS at,
    (CASE WHEN reply_to IS NULL THEN 0 ELSE parent_key END)::UBIGINT AS replies,
    (CASE WHEN quote_of IS NULL THEN 0 WHEN reply_to IS NULL THEN parent_key
        ELSE md5_number_lower(platform || ' ' || quote_of) END)::UBIGINT AS quotes,
    (CASE WHEN repost_of IS NULL THEN 0 WHEN reply_to IS NULL AND quote_of IS NULL THEN parent_key
        ELSE md5_number_lower(platform || ' ' || repost_of) END)::UBIGINT AS reposts,
    kind <> 'repost' AND model_id IS NOT NULL AND coalesce(relevant, 0) >= 0.5
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und'))) AS is_ranked,
    false AS is_within
FROM posts
WHERE NOT hidden AND rowid IN (SELECT p.rowid FROM posts p SEMI JOIN (SELECT unnest($keys::UBIGINT[]) AS key) n USING (key))
