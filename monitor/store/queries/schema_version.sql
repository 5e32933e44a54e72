-- question: which migration did this file reach?
-- params: none
-- columns: number
SELECT coalesce(max(number), 0) AS number FROM migrations
