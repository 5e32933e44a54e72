-- question: whose posts that spoke of leaving are hidden, because the account is deactivated, suspended or the like? By label.
-- params: start, end, topics, langs, platforms (lists; NULL takes all)
-- columns: status (of the account), authors
SELECT a.status, count(DISTINCT p.author_key) AS authors
FROM posts p JOIN accounts a ON a.author_key = p.author_key
WHERE p.observed_at >= $start AND p.observed_at < $end AND p.kind <> 'repost' AND p.hidden
    AND p.model_id IS NOT NULL AND p.relevant >= 0.5 AND p.removal_label <> 'none'
    AND ($topics IS NULL OR list_has_any(list_transform(p.matched, lambda m: split_part(m, '/', 1)), $topics))
    AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(p.lang, '-', 1), 'und')))
    AND ($platforms IS NULL OR list_contains($platforms, p.platform))
GROUP BY a.status
ORDER BY a.status
