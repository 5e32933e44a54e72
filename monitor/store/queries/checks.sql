-- question: what was asked of the platforms, what did they answer, and what was done about it, oldest first?
-- params: name (of one check; NULL takes all)
-- columns: name, platform, state, job, begun_at, ended_at, asked, named, deleted, hidden, shown, scrubbed, contexts
SELECT
    c.name, c.platform, c.state, c.job, c.begun_at, c.ended_at, c.asked, c.named,
    coalesce(sum(d.posts + d.reposts) FILTER (WHERE d.action = 'deleted'), 0)::BIGINT AS deleted,
    coalesce(sum(d.posts + d.reposts) FILTER (WHERE d.action = 'hidden'), 0)::BIGINT AS hidden,
    coalesce(sum(d.posts + d.reposts) FILTER (WHERE d.action = 'shown'), 0)::BIGINT AS shown,
    coalesce(sum(d.posts + d.reposts) FILTER (WHERE d.action = 'scrubbed'), 0)::BIGINT AS scrubbed,
    coalesce(sum(d.contexts), 0)::BIGINT AS contexts
FROM checks c LEFT JOIN proofs d ON d."check" = c.name
WHERE $name IS NULL OR c.name = $name
GROUP BY ALL
ORDER BY c.begun_at, c.name
