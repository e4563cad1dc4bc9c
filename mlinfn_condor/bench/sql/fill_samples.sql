INSERT INTO mlinfn.device_sample (
    at, seconds, busy_s, measured_s, joules, energy_s, watts, memory_mb, temperature_c, clock_mhz, processes,
    energy_source, device, node)
SELECT
    t, 30, (h %% 30), 30, 900 + h %% 6000, 30, 30 + h %% 200, h %% 40960, 40 + h %% 40, 1200 + h %% 500, h %% 2, 'c',
    'GPU-' || d, 'server' || d / 8
FROM generate_series(%(from)s::timestamptz + interval '30 seconds', %(to)s::timestamptz, interval '30 seconds') AS t
CROSS JOIN generate_series(0, %(devices)s - 1) AS d
CROSS JOIN LATERAL (SELECT abs(hashint8(extract(epoch FROM t)::bigint + d)) AS h) AS x
