-- Names that people had before.
SELECT uid, name FROM mlinfn_identity.former_name ORDER BY uid, name
