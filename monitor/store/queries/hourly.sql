-- question: what was said in each hour of [start, end)? Posts as in window_series, weighted by their sample_weight; hour 0
--   begins at start, empty hours are left out.
-- params: start, end, topics, langs, platforms (lists; NULL takes all)
-- columns: hour, posts, clear (concern 2 or more), considering, committed, done, blocked, searched, authors, texts
SELECT
    floor((epoch_us(observed_at) - epoch_us($start::TIMESTAMP)) / 3.6e9)::INTEGER AS hour,
    sum(sample_weight) AS posts,
    coalesce(sum(sample_weight) FILTER (concern_label >= 2), 0) AS clear,
    coalesce(sum(sample_weight) FILTER (removal_label = 'considering'), 0) AS considering,
    coalesce(sum(sample_weight) FILTER (removal_label = 'committed'), 0) AS committed,
    coalesce(sum(sample_weight) FILTER (removal_label = 'done'), 0) AS done,
    coalesce(sum(sample_weight) FILTER (removal_label = 'blocked'), 0) AS blocked,
    coalesce(sum(sample_weight) FILTER (source <> 'live'), 0) AS searched,
    count(DISTINCT author_key)::DOUBLE AS authors,
    count(DISTINCT coalesce(text_group, key))::DOUBLE AS texts
FROM posts
WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
    AND model_id IS NOT NULL AND relevant >= 0.5
    AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
    AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
    AND ($platforms IS NULL OR list_contains($platforms, platform))
GROUP BY hour
ORDER BY hour
