-- question: which relevant posts drew most likes, reposts, replies and quotes in [start, end)? What was collected in
--   the window counts for any post; for posts of the window the platform's own counts where they were measured.
-- params: start, end, topics, langs, platforms (lists; NULL takes all), limit
-- columns: those of posts_one; likes is NULL where it was not measured
WITH answers AS (
    SELECT
        parent_key AS key,
        count(*) FILTER (kind = 'repost') AS reposts,
        count(*) FILTER (kind = 'reply') AS replies,
        count(*) FILTER (kind = 'quote') AS quotes
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND parent_key IS NOT NULL AND NOT hidden
    GROUP BY parent_key
), ranked AS (
    SELECT
        post.rowid AS row,
        CASE WHEN post.observed_at >= $start THEN post.likes END AS liked,
        greatest(answers.reposts, CASE WHEN post.observed_at >= $start THEN post.reposts END, 0) AS reposted,
        greatest(answers.replies, CASE WHEN post.observed_at >= $start THEN post.replies END, 0) AS replied,
        greatest(answers.quotes, CASE WHEN post.observed_at >= $start THEN post.quotes END, 0) AS quoted,
        coalesce(liked, 0) + reposted + replied + quoted AS attention
    FROM posts post LEFT JOIN answers ON answers.key = post.key
    WHERE post.observed_at < $end AND post.kind <> 'repost' AND NOT post.hidden
        AND post.model_id IS NOT NULL AND post.relevant >= 0.5
        AND (answers.key IS NOT NULL OR (post.observed_at >= $start AND post.measured_at IS NOT NULL))
        AND ($topics IS NULL OR list_has_any(list_transform(post.matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(post.lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, post.platform))
    ORDER BY attention DESC, row DESC
    LIMIT $limit
)
SELECT
    platform, post_id, author_id, author_handle, kind, text, context, lang, created_at, observed_at, edited_at, source,
    matched, liked AS likes, reposted AS reposts, replied AS replies, quoted AS quotes, measured_at, versions, model_id,
    CASE WHEN model_id IS NOT NULL
        THEN COLUMNS('^(relevant|concern|(concern|removal|stance)_(probs|label))$') END
FROM ranked JOIN posts ON posts.rowid = ranked.row
WHERE attention > 0
ORDER BY attention DESC, row DESC
