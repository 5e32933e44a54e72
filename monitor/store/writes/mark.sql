-- One small fact about the file, e.g. that its posts are synthetic.
DELETE FROM marks WHERE key = $key;
INSERT INTO marks VALUES ($key, $value);
