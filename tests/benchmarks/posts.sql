-- $n posts of the $days before $now, with half as many reposts of them, on $topics, scored, by 400,000 authors.
--   A row's place in its block of 3,000 says its platform and topic, and one place of each block never holds a repost: so
--   whoever answers finds a parent of the same platform and topic. Parents are rounded down to powers of two, three in
--   ten to the first place of their topic, which makes few large trees and many small ones; authors are drawn squared,
--   which makes few loud ones; hours rise and fall by day.
CREATE TEMP MACRO author_of(platform, who) AS CASE platform
    WHEN 'x' THEN (1000000 + who)::VARCHAR ELSE 'did:plc:' || left(md5(who::VARCHAR), 24) END;

CREATE TEMP MACRO post_of(platform, who, i) AS CASE platform
    WHEN 'x' THEN (1900000000000000000 + i)::VARCHAR
    ELSE 'at://' || author_of(platform, who) || '/app.bsky.feed.post/' || lpad(i::VARCHAR, 13, '3') END;

INSERT INTO posts BY NAME
WITH numbered AS (
    SELECT
        i,
        hash(i) AS h,
        hash(i, 'author') AS a,
        i % 1000 AS place,
        i // 3000 AS block,
        i % 3 = 2 AS is_repost,
        $days * 24 * (1 - (i + 1) / (1.5 * $n)) AS ago
    FROM range((1.5 * $n)::BIGINT) AS numbers (i)
), placed AS (
    SELECT
        *,
        CASE WHEN place % 10 >= 7 THEN 'x' ELSE 'bluesky' END AS platform,
        $topics[1 + floor(len($topics) * pow(place // 10 / 100, 2))::INTEGER] AS topic,
        CASE
            WHEN is_repost THEN 'repost'
            WHEN h % 10 < 5 THEN 'original'
            WHEN h % 10 < 8 THEN 'reply'
            ELSE 'quote'
        END AS what,
        greatest(0, block - 1 - (h // 10 % 6)::BIGINT) AS near,
        pow(2, floor(-2 * log2((h // 100 % 1000 + 23) / 1023)))::BIGINT AS step,
        CASE WHEN h // 100000 % 10 < 7 THEN place
            ELSE 10 * ceil(100 * sqrt(floor(len($topics) * pow(place // 10 / 100, 2)) / len($topics)))::BIGINT
                + place % 10 // 7 * 7 END AS there,
        $now::TIMESTAMP - to_milliseconds(
            ((ago + 2 * sin(ago * pi() / 12) + 9 * sin(ago * pi() / 208) + .2 * sin(ago * 1.7)) * 3600000)::BIGINT
        ) AS seen_at
    FROM numbered
), named AS (
    SELECT
        *,
        floor(400000 * pow((a % 1000003) / 1000003.0, 2))::BIGINT AS who,
        (near - near % step) * 3000 + there + 1000 * ((3 - there % 3) % 3) AS parent,  -- divided by 3 without rest
    FROM placed
), linked AS (
    SELECT
        *,
        floor(400000 * pow((hash(parent, 'author') % 1000003) / 1000003.0, 2))::BIGINT AS parent_who,
        what <> 'original' AND parent < i AS hangs
    FROM named
), whole AS (
    SELECT
        *,
        author_of(platform, who) AS author,
        post_of(platform, who, i) AS id,
        CASE WHEN hangs THEN post_of(platform, parent_who, parent) END AS parent_id,
        h % 16 = 0 AS is_copied,
        CASE WHEN hash(who) % 12 = 0 AND h % 3 = 0 THEN 1 + (hash(who) // 12 % 4)::INTEGER ELSE 0 END AS stage,
        CASE WHEN NOT is_repost THEN (h // 7 % 1000) / 700.0 END AS relevant
    FROM linked
), said AS (
    SELECT
        *,
        CASE WHEN is_repost THEN '' WHEN is_copied THEN 'They changed the AI terms again, read section ' || h // 16 % 400
                || ' before you upload anything: https://example.org/terms/' || h // 16 % 400
            ELSE 'SoundCloud, its AI terms and what I make of them, part ' || i || '. '
                || repeat(md5(i::VARCHAR) || ' ', 1 + (i % 4)::INTEGER) END AS text
    FROM whole
)
SELECT
    md5_number_lower(platform || ' ' || id) AS key,
    md5_number_lower(platform || ' ' || author) AS author_key,
    md5_number_lower(platform || ' ' || parent_id) AS parent_key,
    platform,
    id AS post_id,
    author AS author_id,
    'author' || who || '.bsky.social' AS author_handle,
    text,
    CASE WHEN NOT is_repost THEN ['en', 'en', 'de', 'fr', 'pt'][1 + (h % 5)::INTEGER] END AS lang,
    what AS kind,
    CASE WHEN what = 'reply' THEN parent_id END AS reply_to,
    CASE WHEN what = 'quote' THEN parent_id END AS quote_of,
    CASE WHEN what = 'repost' THEN parent_id END AS repost_of,
    seen_at AS created_at,
    seen_at AS observed_at,
    'live' AS source,
    [topic || '/' || ['ai-terms', 'thread'][1 + (h % 2)::INTEGER]] AS matched,
    1.0 AS sample_weight,
    '{"id": "' || id || '", "author": "' || author || '", "text": "' || text || '", "facets": ['
        || CASE WHEN h % 20 < 2 THEN '{"uri": "https://example.org/news/' || h // 20 % 5000 || '?utm_source=app"}' ELSE '' END
        || ']}' AS raw,
    seen_at AS version_at,
    0 AS revision,
    seen_at AS stored_at,
    h % 100 = 0 AS hidden,
    relevant,
    CASE WHEN NOT is_repost THEN (h % 300) / 100.0 END AS concern,
    CASE WHEN NOT is_repost THEN [0.1, 0.2, 0.3, 0.4] END AS concern_probs,
    CASE WHEN NOT is_repost
        THEN list_transform(range(5), lambda k: CASE WHEN k = stage THEN .9 - h % 20 / 100 ELSE .025 + h % 20 / 400 END)
        END AS removal_probs,
    CASE WHEN NOT is_repost THEN [0.5, 0.3, 0.2] END AS stance_probs,
    CASE WHEN NOT is_repost THEN (h % 4)::UTINYINT END AS concern_label,
    CASE WHEN NOT is_repost THEN ['none', 'considering', 'committed', 'done', 'blocked'][1 + stage] END AS removal_label,
    CASE WHEN NOT is_repost THEN ['critical', 'neutral', 'supportive'][1 + (h % 3)::INTEGER] END AS stance_label,
    CASE WHEN NOT is_repost THEN 'invented' END AS model_id,
    seen_at AS scored_at,
    CASE WHEN NOT is_repost THEN hash(text) END AS text_form,
    CASE WHEN NOT is_repost THEN hash(text) END AS text_group
FROM said;

INSERT INTO text_groups SELECT DISTINCT text_group, [text_group % 65536, text_group // 65536 % 65536]
FROM posts
WHERE text_group IS NOT NULL;

-- One post in a hundred was deleted, by whom and after what is known.
INSERT INTO tombstones BY NAME
SELECT key + 1 AS key, platform, 'gone' || post_id AS post_id, author_id, observed_at AS gone_at, observed_at AS noted_at, kind AS was
FROM posts
WHERE key % 100 = 0;

INSERT INTO departures BY NAME
SELECT
    platform, date_trunc('hour', observed_at) AS hour, 'deleted' AS why, split_part(matched[1], '/', 1) AS topic,
    split_part(lang, '-', 1) AS lang, concern_label, removal_label, count(*) AS n
FROM posts
WHERE key % 100 = 0 AND kind <> 'repost'
GROUP BY ALL
