UPDATE mlinfn.machine_grant SET during = tstzrange(lower(during), to_timestamp(%(at)s))
WHERE source = 'pool' AND name = %(node)s AND upper_inf(during) AND lower(during) < to_timestamp(%(at)s)
    AND (cpus, memory_mb) IS DISTINCT FROM (%(cpus)s, %(memory_mb)s)
