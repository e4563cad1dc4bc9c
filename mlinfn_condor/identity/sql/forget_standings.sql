-- Before those of now are written.
DELETE FROM mlinfn_identity.standing WHERE uid = %(uid)s
