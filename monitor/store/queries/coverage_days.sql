-- question: how many posts of each UTC day and platform that a rule matches did the live stream find, search, or both?
--   Posts that were kept for their thread or imported whole are left out: the other source cannot find them. So are
--   reposts, and hidden and deleted posts.
-- params: start, end, topics (list; NULL takes all)
-- columns: day, platform, posts, stream, search, both, unnoted (posts that another source may have found as well, before
--   that was noted)
WITH noted AS (
    SELECT max(applied_at) AS at FROM migrations WHERE ends_with(name, '_coverage')
), met AS (
    SELECT
        date_trunc('day', observed_at)::TIMESTAMP AS day, platform, stored_at, source,
        list_contains(coalesce(sources, [source]), 'live') AS is_live,
        list_contains(coalesce(sources, [source]), 'search') AS is_search
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
        AND len(list_filter(matched, lambda m: split_part(m, '/', 2) NOT IN ('thread', 'import')
            AND ($topics IS NULL OR list_contains($topics, split_part(m, '/', 1))))) > 0
)
SELECT
    day, platform, count(*) AS posts, count(*) FILTER (is_live) AS stream, count(*) FILTER (is_search) AS search,
    count(*) FILTER (is_live AND is_search) AS both,
    count(*) FILTER (is_search AND NOT is_live AND stored_at < noted.at) AS unnoted
FROM met, noted
GROUP BY day, platform
ORDER BY day, platform
