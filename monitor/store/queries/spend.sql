-- question: what was bought from X, by UTC day and item, from a day on?
-- params: since
-- columns: day, item, n, microdollars
SELECT day, item, n, microdollars FROM spend WHERE day >= $since ORDER BY day, item
