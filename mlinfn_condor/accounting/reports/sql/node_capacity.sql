-- The smallest node of each device model, as the pool last saw it: its cores, its memory in MiB, its devices of any model.
SELECT DISTINCT ON (d.model) d.model, m.name, m.cpus, m.memory_mb, n.devices
FROM mlinfn.machine_grant AS m
JOIN (SELECT DISTINCT node, model FROM mlinfn.device) AS d ON d.node = m.name
JOIN (SELECT node, count(*) AS devices FROM mlinfn.device GROUP BY node) AS n ON n.node = m.name
WHERE m.source = 'pool' AND m.during && tstzrange(%(lo)s, %(hi)s) AND m.cpus > 0 AND m.memory_mb > 0
ORDER BY d.model, m.cpus, m.memory_mb, upper(m.during) DESC NULLS FIRST
