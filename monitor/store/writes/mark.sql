-- One small fact about the file, e.g. that its posts are synthetic.
INSERT INTO marks VALUES ($key, $value) ON CONFLICT (key) DO UPDATE SET value = excluded.value;
