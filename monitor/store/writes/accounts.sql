-- Account states: hide what a deactivated, suspended or taken-down author wrote, show it when the account is back.
-- Staged: in_accounts. Leaves `account`, the last state of each author in this batch; of those who asked to be forgotten
-- no state is kept.

CREATE TEMP TABLE account AS
SELECT md5_number_lower(platform || ' ' || author_id) AS author_key, *
FROM in_accounts
WHERE md5_number_lower(platform || ' ' || author_id) NOT IN (SELECT key FROM forgotten WHERE what = 'author')
QUALIFY row_number() OVER (PARTITION BY platform, author_id ORDER BY changed_at DESC, ord DESC) = 1;

UPDATE accounts SET status = a.status, changed_at = a.changed_at
FROM account a WHERE accounts.author_key = a.author_key AND a.changed_at >= accounts.changed_at;
INSERT INTO accounts
SELECT author_key, platform, author_id, status, changed_at FROM account
WHERE status <> 'active' AND author_key NOT IN (SELECT author_key FROM accounts);

CREATE TEMP TABLE account_row AS
SELECT
    p.rowid AS row,
    p.key,
    NOT p.hidden AND o.status NOT IN ('active', 'deleted') AS is_hiding,
    p.hidden AND o.status = 'active' AS is_showing
FROM posts p JOIN account a USING (author_key) JOIN accounts o USING (author_key);
UPDATE posts SET hidden = r.is_hiding
FROM account_row r WHERE posts.rowid = r.row AND (r.is_hiding OR r.is_showing);

-- What a reply answers to is hidden with its author, and readable again with them.
UPDATE posts SET context = NULL
WHERE parent_key IN (SELECT key FROM account_row WHERE is_hiding) AND context IS NOT NULL;
-- So is a text that came along with a reply although its post was never stored; that one does not come back.
UPDATE posts SET context = NULL
FROM (SELECT a.platform, a.author_id FROM account a JOIN accounts o USING (author_key)
      WHERE a.status NOT IN ('active', 'deleted') AND o.status = a.status) h
WHERE posts.context IS NOT NULL AND posts.platform = h.platform
    AND split_part(coalesce(posts.reply_to, posts.quote_of), '/', 3) = h.author_id
    AND posts.parent_key NOT IN (SELECT key FROM posts);
UPDATE posts SET context = t.text, revision = posts.revision + 1, model_id = NULL
FROM (SELECT p.key, p.text FROM posts p JOIN account_row r ON p.rowid = r.row WHERE r.is_showing) t
WHERE posts.parent_key = t.key AND posts.kind <> 'repost' AND posts.context IS DISTINCT FROM t.text;
