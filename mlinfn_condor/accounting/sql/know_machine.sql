INSERT INTO mlinfn.machine_grant (source, name, during, cpus, memory_mb)
SELECT 'pool', %(node)s, tstzrange(to_timestamp(%(at)s), NULL), %(cpus)s, %(memory_mb)s
WHERE NOT EXISTS (
    SELECT FROM mlinfn.machine_grant WHERE source = 'pool' AND name = %(node)s AND upper_inf(during)
        AND cpus = %(cpus)s AND memory_mb = %(memory_mb)s)
