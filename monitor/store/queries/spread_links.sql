-- question: which links of relevant posts in [start, end) stand on several platforms? A post of one platform that is linked
--   on another counts as well. Links are read from the payload, from the text where that is gone; X's short ones are not
--   told apart and left out.
-- params: start, end, topics, langs, platforms (lists; NULL takes all), limit (links)
-- columns: what (host and path, without scheme, www and what only tracks), platform, posts, authors, first_at, first_key.
--   Two or more rows for each link.
WITH met AS NOT MATERIALIZED (
    SELECT key, author_key, platform, observed_at, raw, text, post_id, author_id, author_handle
    FROM posts
    WHERE observed_at >= $start AND observed_at < $end AND kind <> 'repost' AND NOT hidden
        AND model_id IS NOT NULL AND relevant >= 0.5
        AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
), urls AS MATERIALIZED (
    SELECT DISTINCT
        key,
        unnest(CASE WHEN raw IS NULL THEN regexp_extract_all(text, 'https?://[^\s<>"]+[^\s<>".,:!?)\]]')
            ELSE regexp_extract_all(raw, '"(?:uri|expanded_url|unwound_url)": ?"(https?://[^"\\]+)"', 1) END) AS url
    FROM met
    WHERE contains(coalesce(raw, text), 'http')
), parts AS (
    SELECT
        key,
        regexp_extract(
            url, '^https?://(?:www\.|m\.|mobile\.)?([^/?#]+)([^?#]*)\??([^#]*)', ['host', 'path', 'query']
        ) AS part
    FROM urls
), cleaned AS MATERIALIZED (
    SELECT DISTINCT
        key,
        CASE WHEN lower(part.host) IN ('x.com', 'twitter.com')
            THEN 'x.com' || regexp_replace(rtrim(part.path, '/'), '^/[^/]+/status/(\d+).*$', '/i/status/\1')
            ELSE lower(part.host) || rtrim(part.path, '/') || coalesce('?' || nullif(list_aggregate(list_filter(
                string_split(part.query, '&'),
                lambda q: NOT regexp_matches(q, '^$|^(utm_[a-z]+|fbclid|gclid|igsh|si|ref_src|ref_url)=')
            ), 'string_agg', '&'), ''), '') END AS link
    FROM parts
    WHERE lower(part.host) NOT IN ('t.co', '')
), pointing AS MATERIALIZED (
    SELECT DISTINCT link, split_part(link, '/', 3) AS of_whom, split_part(link, '/', -1) AS which
    FROM cleaned
    WHERE regexp_full_match(link, 'x\.com/i/status/[^/]+|bsky\.app/profile/[^/]+/post/[^/]+')
), own AS (
    SELECT key, link FROM met JOIN pointing ON platform = 'x' AND post_id = which AND starts_with(link, 'x.com/')
    UNION
    SELECT key, link FROM met JOIN pointing ON platform <> 'x' AND author_id = of_whom AND ends_with(post_id, '/' || which)
    UNION
    SELECT key, link FROM met JOIN pointing ON platform <> 'x' AND author_handle = of_whom AND ends_with(post_id, '/' || which)
), linked AS MATERIALIZED (
    SELECT link, platform, author_key, observed_at, key FROM (FROM cleaned UNION FROM own) JOIN met USING (key)
), shared AS (
    SELECT link, count(*) AS n
    FROM linked
    GROUP BY link
    HAVING count(DISTINCT platform) > 1
    ORDER BY n DESC, link
    LIMIT $limit
)
SELECT
    link AS what, platform, count(*) AS posts, count(DISTINCT author_key) AS authors,
    min(observed_at) AS first_at, arg_min(key, (observed_at, key)) AS first_key
FROM linked JOIN shared USING (link)
GROUP BY link, n, platform
ORDER BY n DESC, link, first_at, platform
