-- Devices that another inventory grants in the same time.
SELECT DISTINCT p.node, p.device, p.source
FROM mlinfn.device_period AS p
JOIN staged_grant AS s ON s.node = p.node AND s.device = p.device AND s.during && p.during
WHERE p.source NOT IN ('pool', %(source)s)
ORDER BY 1, 2, 3
