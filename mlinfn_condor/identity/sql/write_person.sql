-- Somebody new, or how he is from now on; his number and the day he came stay.
INSERT INTO mlinfn_identity.person (uid, name, subject, joined_at, left_at, released_at)
VALUES (%(uid)s, %(name)s, %(subject)s, %(joined)s, %(left)s, %(released)s)
ON CONFLICT (uid) DO UPDATE SET
    name = EXCLUDED.name, subject = EXCLUDED.subject, left_at = EXCLUDED.left_at, released_at = EXCLUDED.released_at
