-- A source vouches for somebody.
INSERT INTO mlinfn_identity.standing (uid, source, projects) VALUES (%(uid)s, %(source)s, %(projects)s)
