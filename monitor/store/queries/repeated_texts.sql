-- question: which texts of relevant posts in [start, end) were repeated most: by one author, or by many?
-- params: start, end (NULL: no bound), topics, langs, platforms (lists; NULL takes all), repeats (posts of one author from
--   which they repeat themselves), accounts (authors from which a text is shared by many), seconds (in which they are
--   quick), limit
-- columns: text_group, kind ('one account', 'many accounts', 'many accounts at once'), posts, authors, most (posts of one
--   author), first_at, last_at, quickest_seconds (between the first posts of that many accounts, NULL of fewer), text
--   (of the first post that still stands). A text of a few words is many people's own; it counts only for one account.
WITH met AS (
    SELECT rowid AS row, text_group, author_key, observed_at
    FROM posts
    WHERE text_group IS NOT NULL AND kind <> 'repost' AND NOT hidden AND model_id IS NOT NULL AND relevant >= 0.5
        AND ($start::TIMESTAMP IS NULL OR observed_at >= $start::TIMESTAMP)
        AND ($end::TIMESTAMP IS NULL OR observed_at < $end::TIMESTAMP)
        AND ($topics IS NULL OR list_has_any(list_transform(matched, lambda m: split_part(m, '/', 1)), $topics))
        AND ($langs IS NULL OR list_contains($langs, coalesce(split_part(lang, '-', 1), 'und')))
        AND ($platforms IS NULL OR list_contains($platforms, platform))
), by_author AS (
    SELECT
        text_group, author_key, count(*) AS n, min(observed_at) AS first_at, max(observed_at) AS last_at,
        arg_min(row, observed_at) AS row
    FROM met
    GROUP BY text_group, author_key
), paced AS (
    SELECT
        *,
        epoch(lead(first_at, $accounts::BIGINT - 1) OVER (PARTITION BY text_group ORDER BY first_at) - first_at) AS seconds
    FROM by_author
    WHERE text_group IN (SELECT text_group FROM by_author GROUP BY text_group HAVING max(n) >= $repeats OR count(*) >= $accounts)
), repeated AS (
    SELECT
        text_group, sum(n)::BIGINT AS posts, count(*) AS authors, max(n) AS most, min(first_at) AS first_at,
        max(last_at) AS last_at, min(seconds) AS quickest_seconds, arg_min(row, first_at) AS row,
        count(*) >= $accounts AND text_group IN (SELECT text_group FROM text_groups) AS is_shared
    FROM paced
    GROUP BY text_group
)
SELECT
    r.text_group,
    CASE WHEN NOT is_shared THEN 'one account'
        WHEN quickest_seconds <= $seconds THEN 'many accounts at once' ELSE 'many accounts' END AS kind,
    r.posts, authors, most, first_at, last_at, quickest_seconds, p.text
FROM repeated r JOIN posts p ON p.rowid = r.row
WHERE is_shared OR most >= $repeats
ORDER BY r.posts DESC, last_at DESC
LIMIT $limit
