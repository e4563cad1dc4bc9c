-- A project that was not there; its number is for ever.
INSERT INTO mlinfn_identity.project (name, gid) VALUES (%(name)s, %(gid)s)
