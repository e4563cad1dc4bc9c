-- What this inventory said before, machines and devices.
SELECT name, '' AS device, 'gpu' AS kind, '' AS model, '' AS owner_project, given_to, cpus, memory_mb,
    lower(during), upper(during)
FROM mlinfn.machine_grant
WHERE source = %(source)s
UNION ALL
SELECT p.node, p.device, d.kind, d.model, p.owner_project, p.given_to, NULL, NULL, lower(p.during), upper(p.during)
FROM mlinfn.device_period AS p JOIN mlinfn.device AS d USING (node, device)
WHERE p.source = %(source)s
