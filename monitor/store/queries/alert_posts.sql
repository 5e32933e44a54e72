-- question: where do these posts stand? Those that are gone or hidden are left out.
-- params: keys (list)
-- columns: key, platform, post_id
SELECT key, platform, post_id FROM posts WHERE list_contains($keys::UBIGINT[], key) AND NOT hidden
