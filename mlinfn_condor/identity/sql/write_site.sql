-- Another range or period; numbers that were given stay.
INSERT INTO mlinfn_identity.site (first, last, keep_days) VALUES (%(first)s, %(last)s, %(keep_days)s)
ON CONFLICT (only_row) DO UPDATE SET first = EXCLUDED.first, last = EXCLUDED.last, keep_days = EXCLUDED.keep_days
