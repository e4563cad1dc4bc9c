INSERT INTO mlinfn.spawn (clicked_at, username, server, project, model, job, started_at, ready_at, outcome)
SELECT s, 'user' || i %% 40, '', 'project' || i %% 6, (ARRAY['T4', 'RTX5000', 'A30', 'A100', ''])[1 + i %% 5], '',
    s + interval '1 second', s + make_interval(secs => 3 + i %% 12), 'ready'
FROM generate_series(0, 99999) AS i
CROSS JOIN LATERAL (SELECT %(first)s::timestamptz + make_interval(secs => i * 315) AS s) AS x
