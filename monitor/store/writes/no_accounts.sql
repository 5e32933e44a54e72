-- Deletions without account states: `deletions` reads an empty `account`.
CREATE TEMP TABLE account AS SELECT md5_number_lower('') AS author_key, * FROM in_accounts WHERE false;
