-- What is already there stays as it is; only new rows mark their days as changed. Returns the number of new attempts.
WITH added AS (
    INSERT INTO mlinfn.attempt (
        ended_at, started_at, submitted_at, cluster, proc, run, exit_code, memory_mb, memory_asked_mb, memory_peak_mb,
        device_memory_peak_mb, cpus, cpus_asked, cpus_used, devices_busy, watts, lost_s, outcome, access_point,
        username, project, class, node, slot, task, devices, reason)
    SELECT
        to_timestamp(ended), to_timestamp(started), to_timestamp(submitted), cluster, proc, run, exit_code, memory_mb,
        memory_asked_mb, (memory_peak_kb + 1023) / 1024, device_memory_peak_mb, cpus, cpus_asked, cpus_used,
        devices_busy, watts, lost_s, outcome, %(access_point)s, username, project, class, node, slot, task, devices,
        reason
    FROM staged_attempt
    ON CONFLICT DO NOTHING
    RETURNING started_at, ended_at
),
marked AS (
    INSERT INTO mlinfn.day_state (day, changed_at)
    SELECT d.day::date, clock_timestamp()
    FROM (SELECT DISTINCT (started_at AT TIME ZONE 'UTC')::date AS f, (ended_at AT TIME ZONE 'UTC')::date AS t FROM added) AS a
    CROSS JOIN LATERAL generate_series(a.f, a.t, interval '1 day') AS d (day)
    GROUP BY 1
    ORDER BY 1
    ON CONFLICT (day) DO UPDATE SET changed_at = clock_timestamp()
)
SELECT count(*) FROM added
