-- question: what is the next part of an export: the posts that meet a filter, in the order of observed_at and key?
-- params: those of posts_found without sort and offset; after_at, after_key (where the last part ended)
-- columns: those of the exported file, with author_id and key
WITH met AS (
    SELECT rowid AS row
    FROM posts
    WHERE kind <> 'repost' AND NOT hidden
        AND (observed_at > $after_at OR (observed_at = $after_at AND key > $after_key))
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
    ORDER BY observed_at, key
    LIMIT $limit
)
SELECT
    key, platform, post_id, author_id, kind, text, context, lang, created_at, observed_at, edited_at, source, matched,
    coalesce(sources, [source]) AS sources, versions, reply_to, quote_of, likes, reposts, replies, quotes, measured_at, sample_weight, text_group, model_id,
    CASE WHEN model_id IS NOT NULL
        THEN COLUMNS('^(relevant|concern|(concern|removal|stance)_(probs|label))$') END
FROM met JOIN posts ON posts.rowid = met.row
ORDER BY observed_at, key
