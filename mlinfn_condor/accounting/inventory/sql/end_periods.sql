-- What this source said before and says no more.
DELETE FROM mlinfn.device_period AS p
WHERE p.source = %(source)s AND NOT EXISTS (
    SELECT FROM staged_grant AS s
    WHERE (s.node, s.device, s.during, s.owner_project, s.given_to)
        = (p.node, p.device, p.during, p.owner_project, p.given_to))
RETURNING p.node, p.device, lower(p.during), upper(p.during)
