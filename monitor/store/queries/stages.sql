-- question: who said what about leaving in [start, end), and when? One row for each relevant post, those
--   that do not speak of it too: their scores say how sure that is. Posts as in window_series. In no order: sorting a
--   million rows with their scores took longer than reading them.
-- params: start, end, topics, langs, platforms (lists; NULL takes all)
-- columns: author_key, at (seconds since 1970), label (likeliest stage), chances (calibrated, in the codebook's order),
--   searched (not collected live: survivors only), sampled (stands for more posts than itself)
SELECT
    author_key,
    epoch_us(observed_at) / 1e6 AS at,
    removal_label AS label,
    removal_probs AS chances,
    source <> 'live' AS searched,
    sample_weight > 1 AS sampled
FROM posts
WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
    AND model_id IS NOT NULL AND relevant >= 0.5
    AND (
        $topics IS NULL OR list_contains($topics, split_part(matched[1], '/', 1))
        OR (len(matched) > 1 AND list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
    )
    AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
    AND ($platforms IS NULL OR list_contains($platforms, platform))
