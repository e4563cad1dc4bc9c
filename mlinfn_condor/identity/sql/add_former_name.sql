-- A name that somebody has no more; he may have had it before.
INSERT INTO mlinfn_identity.former_name (uid, name) VALUES (%(uid)s, %(name)s) ON CONFLICT DO NOTHING
