-- question: which posts meet a filter, in a chosen order, and how many are there?
-- params: start, end, topics, langs, platforms, kinds, sources, removals, stances (NULL takes all), relevance ('relevant',
--   'irrelevant', 'unscored' or NULL), concern_low, concern_high, needle (lower case, or NULL), pattern (RE2, or NULL),
--   sort ('newest', 'oldest', 'concern', 'engagement'), limit, offset
-- columns: platform, post_id, author_handle, kind, text, lang, observed_at, source, likes, reposts, replies, quotes,
--   relevant, concern, removal_label, stance_label, text_group (NULL before it is grouped), copies, copiers (visible posts
--   of its text group, filter or not, and their authors), total (all that meet the filter)
WITH met AS (
    SELECT
        rowid AS row,
        count(*) OVER () AS total,
        CASE $sort
            WHEN 'concern' THEN coalesce(concern, -1)
            WHEN 'engagement' THEN coalesce(likes, 0) + coalesce(reposts, 0) + coalesce(replies, 0) + coalesce(quotes, 0)
            WHEN 'oldest' THEN -epoch(observed_at)
            ELSE epoch(observed_at)
        END AS rank
    FROM posts
    WHERE kind <> 'repost' AND NOT hidden
        AND ($start::TIMESTAMP IS NULL OR observed_at >= $start::TIMESTAMP)
        AND ($end::TIMESTAMP IS NULL OR observed_at < $end::TIMESTAMP)
        AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
        AND ($kinds IS NULL OR list_contains($kinds, kind))
        AND ($sources IS NULL OR list_contains($sources, source))
        AND ($removals IS NULL OR (model_id IS NOT NULL AND list_contains($removals, removal_label)))
        AND ($stances IS NULL OR (model_id IS NOT NULL AND list_contains($stances, stance_label)))
        AND (($concern_low <= 0 AND $concern_high >= 3)
            OR (model_id IS NOT NULL AND concern >= $concern_low AND concern <= $concern_high))
        AND CASE $relevance
            WHEN 'relevant' THEN model_id IS NOT NULL AND relevant >= 0.5
            WHEN 'irrelevant' THEN model_id IS NOT NULL AND relevant < 0.5
            WHEN 'unscored' THEN model_id IS NULL
            ELSE true
        END
        AND ($needle IS NULL OR contains(lower(text), $needle))
        AND ($pattern IS NULL OR regexp_matches(text, $pattern, 'i'))
    ORDER BY rank DESC, row DESC
    LIMIT $limit OFFSET $offset
), same AS (
    SELECT text_group, count(*) AS copies, count(DISTINCT author_key) AS copiers
    FROM posts
    WHERE text_group IN (SELECT p.text_group FROM met JOIN posts p ON p.rowid = met.row) AND NOT hidden
    GROUP BY text_group
)
SELECT
    platform, post_id, author_handle, kind, text, lang, observed_at, source, likes, reposts, replies, quotes,
    CASE WHEN model_id IS NOT NULL THEN COLUMNS('^(relevant|concern|removal_label|stance_label)$') END,
    text_group, copies, copiers, total
FROM met JOIN posts ON posts.rowid = met.row LEFT JOIN same USING (text_group)
ORDER BY rank DESC, row DESC
