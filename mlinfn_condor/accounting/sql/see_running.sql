INSERT INTO mlinfn.running (
    access_point, cluster, proc, submitted_at, started_at, seen_at, cpus, memory_mb, devices_busy, watts, username,
    project, class, node, slot, devices)
SELECT
    %(access_point)s, %(cluster)s, %(proc)s, to_timestamp(%(submitted)s), to_timestamp(%(started)s), to_timestamp(%(at)s),
    %(cpus)s, %(memory_mb)s, %(devices_busy)s, %(watts)s, %(username)s, %(project)s, %(class)s, %(node)s, %(slot)s,
    %(devices)s
WHERE NOT EXISTS (  -- the collector may still show an attempt whose record is there
    SELECT FROM mlinfn.attempt AS a
    WHERE a.cluster = %(cluster)s AND a.proc = %(proc)s AND a.access_point = %(access_point)s
        AND a.submitted_at = to_timestamp(%(submitted)s) AND a.ended_at >= to_timestamp(%(started)s))
ON CONFLICT (access_point, cluster, proc, submitted_at, started_at) DO UPDATE
SET seen_at = excluded.seen_at, gone_at = NULL, devices_busy = excluded.devices_busy, watts = excluded.watts
