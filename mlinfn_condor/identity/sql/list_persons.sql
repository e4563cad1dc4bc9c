-- Everybody who ever was here.
SELECT uid, name, joined_at, subject, left_at, released_at FROM mlinfn_identity.person ORDER BY uid
