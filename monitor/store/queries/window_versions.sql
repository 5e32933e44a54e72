-- question: how many posts of [start, end) did each version of the rules find? One that several found counts for each.
-- params: start, end (NULL is open)
-- columns: version ("topic/number"; NULL: found before versions were kept), n
SELECT version, count(*) AS n
FROM (
    SELECT unnest(CASE WHEN len(versions) > 0 THEN versions ELSE [NULL] END) AS version
    FROM posts
    WHERE ($start::TIMESTAMP IS NULL OR observed_at >= $start::TIMESTAMP)
        AND ($end::TIMESTAMP IS NULL OR observed_at < $end::TIMESTAMP)
        AND kind <> 'repost' AND NOT hidden
)
GROUP BY version
ORDER BY version
