-- Who vouches for whom.
SELECT uid, source, projects FROM mlinfn_identity.standing ORDER BY uid, source
