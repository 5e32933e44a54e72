-- $n posts of the sixty days before $now, with half as many reposts of them, scored, by 200,000 authors.
INSERT INTO posts BY NAME
WITH numbered AS (
    SELECT
        i,
        hash(i) AS h,
        i % 3 = 2 AS is_repost,
        CASE WHEN hash(i) % 10 < 7 THEN 'original' WHEN hash(i) % 10 < 9 THEN 'reply' ELSE 'quote' END AS spoken,
        greatest(0, i - 3 - (hash(i) % 30000)::BIGINT) AS p,
        $now::TIMESTAMP - to_milliseconds(((1.5 * $n - i) * (60 * 86400000::BIGINT / (1.5 * $n)))::BIGINT) AS seen_at
    FROM range((1.5 * $n)::BIGINT) AS numbers (i)
), linked AS (
    SELECT
        *,
        CASE WHEN is_repost THEN 'repost' ELSE spoken END AS what,
        'did:plc:' || left(md5((h % 200000)::VARCHAR), 24) AS author,
        'at://did:plc:' || left(md5((h % 200000)::VARCHAR), 24) || '/app.bsky.feed.post/' || lpad(i::VARCHAR, 13, '3') AS id,
        p - p % 3 AS parent  -- never a repost
    FROM numbered
), whole AS (
    SELECT
        *,
        'at://did:plc:' || left(md5((hash(parent) % 200000)::VARCHAR), 24)
            || '/app.bsky.feed.post/' || lpad(parent::VARCHAR, 13, '3') AS parent_id
    FROM linked
)
SELECT
    md5_number_lower('bluesky ' || id) AS key,
    md5_number_lower('bluesky ' || author) AS author_key,
    CASE WHEN what <> 'original' THEN md5_number_lower('bluesky ' || parent_id) END AS parent_key,
    'bluesky' AS platform,
    id AS post_id,
    author AS author_id,
    'author' || (h % 200000) || '.bsky.social' AS author_handle,
    CASE WHEN is_repost THEN '' ELSE 'SoundCloud, its AI terms and what I make of them, part ' || i || '. '
        || repeat(md5(i::VARCHAR) || ' ', 1 + (i % 5)::INTEGER) END AS text,
    CASE WHEN NOT is_repost THEN ['en', 'en', 'de', 'fr', 'pt'][1 + (h % 5)::INTEGER] END AS lang,
    what AS kind,
    CASE WHEN what = 'reply' THEN parent_id END AS reply_to,
    CASE WHEN what = 'quote' THEN parent_id END AS quote_of,
    CASE WHEN what = 'repost' THEN parent_id END AS repost_of,
    seen_at AS created_at,
    seen_at AS observed_at,
    'live' AS source,
    ['soundcloud-ai/' || ['ai-terms', 'thread'][1 + (h % 2)::INTEGER]] AS matched,
    1.0 AS sample_weight,
    seen_at AS version_at,
    0 AS revision,
    seen_at AS stored_at,
    h % 100 = 0 AS hidden,
    CASE WHEN NOT is_repost THEN (h % 1000) / 700.0 END AS relevant,
    CASE WHEN NOT is_repost THEN (h % 300) / 100.0 END AS concern,
    CASE WHEN NOT is_repost THEN [0.1, 0.2, 0.3, 0.4] END AS concern_probs,
    CASE WHEN NOT is_repost THEN [0.5, 0.1, 0.1, 0.2, 0.1] END AS removal_probs,
    CASE WHEN NOT is_repost THEN [0.5, 0.3, 0.2] END AS stance_probs,
    CASE WHEN NOT is_repost THEN (h % 4)::UTINYINT END AS concern_label,
    CASE WHEN NOT is_repost
        THEN ['none', 'none', 'none', 'considering', 'committed', 'done', 'blocked'][1 + (h % 7)::INTEGER] END AS removal_label,
    CASE WHEN NOT is_repost THEN ['critical', 'neutral', 'supportive'][1 + (h % 3)::INTEGER] END AS stance_label,
    CASE WHEN NOT is_repost THEN 'invented' END AS model_id,
    seen_at AS scored_at
FROM whole
