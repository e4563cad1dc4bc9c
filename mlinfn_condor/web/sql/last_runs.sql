-- The latest attempts of one user that ended within the last 90 days: what was asked for, and what was used.
SELECT
    access_point || cluster || '.' || proc, class, ended_at, outcome, cpus_asked, cpus_used, memory_asked_mb, memory_peak_mb,
    cardinality(devices), devices_busy
FROM mlinfn.attempt
WHERE username = %(user)s AND ended_at > %(now)s::timestamptz - interval '90 days' AND outcome <> 'vanished'
ORDER BY ended_at DESC
LIMIT %(most)s
