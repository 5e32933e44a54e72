INSERT INTO migrations VALUES ($number, $name, $now);
