DELETE FROM mlinfn.machine_grant AS m
WHERE m.source = %(source)s AND NOT EXISTS (
    SELECT FROM staged_machine AS s
    WHERE (s.name, s.during, s.given_to) = (m.name, m.during, m.given_to)
        AND (s.cpus, s.memory_mb) IS NOT DISTINCT FROM (m.cpus, m.memory_mb))
RETURNING m.name, '', lower(m.during), upper(m.during)
