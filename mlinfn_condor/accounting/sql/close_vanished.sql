-- Seen running, gone for longer than a lost access point may take to come back, and no record: nobody has its work.
WITH gone AS (
    DELETE FROM mlinfn.running WHERE gone_at < to_timestamp(%(at)s) - make_interval(secs => %(patience_s)s) RETURNING *
),
marked AS (
    INSERT INTO mlinfn.day_state (day, changed_at)
    SELECT d.day::date, clock_timestamp()
    FROM gone
    CROSS JOIN LATERAL generate_series(
        (started_at AT TIME ZONE 'UTC')::date, (greatest(seen_at, started_at) AT TIME ZONE 'UTC')::date,
        interval '1 day') AS d (day)
    GROUP BY 1
    ORDER BY 1
    ON CONFLICT (day) DO UPDATE SET changed_at = clock_timestamp()
)
INSERT INTO mlinfn.attempt (
    ended_at, started_at, submitted_at, cluster, proc, run, cpus, memory_mb, devices_busy, watts, lost_s, outcome,
    access_point, username, project, class, node, slot, devices)
SELECT
    greatest(seen_at, started_at), started_at, submitted_at, cluster, proc, 0, cpus, memory_mb, devices_busy, watts,
    extract(epoch FROM greatest(seen_at, started_at) - started_at), 'vanished', access_point, username, project, class,
    node, slot, devices
FROM gone
ON CONFLICT DO NOTHING
