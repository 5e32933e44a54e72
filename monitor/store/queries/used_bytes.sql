-- question: how much of the file holds anything, and so has to be copied?
-- params: none
-- columns: n (bytes)
SELECT coalesce(sum(used_blocks * block_size), 0)::BIGINT AS n FROM pragma_database_size()
