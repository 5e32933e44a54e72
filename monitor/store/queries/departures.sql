-- question: how many stored posts left in the hours of [start, end), why, and what was their last label?
-- params: start, end (NULL: ever), topics, langs, platforms (lists; NULL takes all). What left before languages were kept is
--   of none of them; a post on two of the topics counts under each.
-- columns: platform, hour, why, topic, lang, concern_label, removal_label, n
SELECT platform, hour, why, topic, lang, concern_label, removal_label, sum(n)::BIGINT AS n
FROM departures
WHERE ($start::TIMESTAMP IS NULL OR hour >= $start) AND ($end::TIMESTAMP IS NULL OR hour < $end)
    AND ($topics IS NULL OR list_contains($topics, topic))
    AND ($langs IS NULL OR list_contains($langs, lang))
    AND ($platforms IS NULL OR list_contains($platforms, platform))
GROUP BY ALL
ORDER BY hour, platform, topic, why
