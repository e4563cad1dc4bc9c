-- Every project and the number of its group.
SELECT name, gid FROM mlinfn_identity.project ORDER BY name
