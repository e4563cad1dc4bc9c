INSERT INTO mlinfn.device_period (node, device, during, owner_project, given_to, source)
SELECT s.node, s.device, s.during, s.owner_project, s.given_to, %(source)s
FROM staged_grant AS s
WHERE NOT EXISTS (
    SELECT FROM mlinfn.device_period AS p
    WHERE p.node = s.node AND p.device = s.device AND p.during = s.during AND p.source = %(source)s)
RETURNING node, device, lower(during), upper(during)
