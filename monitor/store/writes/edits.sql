-- What a batch says about posts that are stored already. Reads `hit` and `incoming` of `posts`.

CREATE TEMP TABLE known AS
SELECT
    h.row, h.key, i.platform, i.post_id, i.text, i.raw, i.lang, i.author_handle, i.version_at,
    i.likes, i.reposts, i.replies, i.quotes, i.measured_at,
    i.text IS DISTINCT FROM p.text AND i.version_at >= p.version_at AS is_edit,
    -- Only the live stream's payloads compare: a view holds counts as well.
    i.source = 'live' AND p.source = 'live' AND i.raw IS DISTINCT FROM p.raw AND i.version_at > p.version_at AS is_newer,
    i.measured_at IS NOT NULL AND (p.measured_at IS NULL OR i.measured_at >= p.measured_at) AS is_measured,
    CASE WHEN p.context IS NULL THEN i.context END AS context,
    i.context_author_key,
    i.sample_weight,
    list_sort(list_distinct(list_concat(p.matched, i.matched))) AS matched,
    CASE WHEN len(i.versions) > 0 THEN list_sort(list_distinct(list_concat(p.versions, i.versions))) ELSE p.versions END
        AS versions,
    -- An edit that no rule matches was not found, and a source that is known adds nothing.
    CASE WHEN len(i.matched) = 0 OR list_has_all(coalesce(p.sources, [p.source]), i.sources) THEN p.sources
        ELSE list_sort(list_distinct(list_concat(coalesce(p.sources, [p.source]), i.sources))) END AS sources
FROM hit h JOIN posts p ON p.rowid = h.row JOIN incoming i ON i.key = h.key;

UPDATE posts SET
    text = k.text, raw = k.raw, lang = coalesce(k.lang, posts.lang), version_at = k.version_at,
    edited_at = k.version_at, revision = posts.revision + 1, model_id = NULL, text_form = NULL, text_group = NULL
FROM known k WHERE posts.rowid = k.row AND k.is_edit;
-- A picture or link that was taken away is an edit too, though the text says the same.
UPDATE posts SET raw = k.raw, lang = coalesce(k.lang, posts.lang), version_at = k.version_at, edited_at = k.version_at
FROM known k WHERE posts.rowid = k.row AND k.is_newer AND NOT k.is_edit;
UPDATE posts SET context = k.context, context_author_key = k.context_author_key, revision = posts.revision + 1, model_id = NULL
FROM known k WHERE posts.rowid = k.row AND k.context IS NOT NULL;
-- Of a post in a sample and in what was read whole, the latter counts: weights of the others stay as drawn.
UPDATE posts SET sample_weight = k.sample_weight FROM known k
WHERE posts.rowid = k.row AND k.sample_weight < posts.sample_weight;
UPDATE posts SET
    likes = coalesce(k.likes, posts.likes), reposts = coalesce(k.reposts, posts.reposts),
    replies = coalesce(k.replies, posts.replies), quotes = coalesce(k.quotes, posts.quotes), measured_at = k.measured_at
FROM known k WHERE posts.rowid = k.row AND k.is_measured;
UPDATE posts SET
    matched = k.matched, versions = k.versions, sources = k.sources,
    author_handle = coalesce(k.author_handle, posts.author_handle)
FROM known k WHERE posts.rowid = k.row
    AND (posts.matched <> k.matched OR posts.versions IS DISTINCT FROM k.versions OR posts.sources IS DISTINCT FROM k.sources
        OR (k.author_handle IS NOT NULL AND posts.author_handle IS DISTINCT FROM k.author_handle));
