-- Each device has an attempt after the other; every tenth of them ends within the next one: a hand-over.
INSERT INTO mlinfn.attempt (
    ended_at, started_at, submitted_at, cluster, proc, run, exit_code, memory_mb, memory_asked_mb, memory_peak_mb, cpus,
    cpus_asked, cpus_used, devices_busy, watts, lost_s, outcome, access_point, username, project, class, node, slot, task,
    devices)
SELECT
    a.s + make_interval(secs => %(step)s * (CASE WHEN h %% 10 = 0 THEN 1.2 ELSE 0.9 END)), a.s,
    a.s - make_interval(secs => h %% 300), i, 0, 1, 0, 46208, 4096 * (1 + h %% 8), 500 + h %% 20000, 4, 1 + h %% 4,
    (h %% 400) / 100.0, (h %% 100) / 100.0, 30 + h %% 200, CASE WHEN h %% 50 = 0 THEN 10 ELSE 0 END,
    CASE WHEN h %% 10 = 0 THEN 'displaced' WHEN h %% 50 = 0 THEN 'failed' ELSE 'completed' END,
    CASE WHEN h %% 5 = 0 THEN 'interactive@' ELSE 'batch@' END, 'user' || h %% 40, 'project' || h %% 6,
    CASE WHEN h %% 5 = 0 THEN 'interactive' WHEN h %% 5 = 1 THEN 'dask' ELSE 'batch' END,
    'server' || d / 8, 'slot5_1', 'train' || h %% 12, ARRAY['GPU-' || d]
FROM generate_series(%(from)s, %(to)s - 1) AS i
CROSS JOIN LATERAL (
    SELECT i %% %(devices)s AS d, abs(hashint4(i)) AS h,
        %(first)s::timestamptz + make_interval(secs => i / %(devices)s * %(step)s) AS s) AS a
