-- question: which tables does this file have?
-- params: none
-- columns: name
SELECT table_name AS name FROM duckdb_tables()
