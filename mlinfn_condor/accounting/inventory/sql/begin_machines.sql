INSERT INTO mlinfn.machine_grant (source, name, during, given_to, cpus, memory_mb)
SELECT %(source)s, s.name, s.during, s.given_to, s.cpus, s.memory_mb
FROM staged_machine AS s
WHERE NOT EXISTS (
    SELECT FROM mlinfn.machine_grant AS m WHERE m.source = %(source)s AND m.name = s.name AND m.during = s.during)
RETURNING name, '', lower(during), upper(during)
