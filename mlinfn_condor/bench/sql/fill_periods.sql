-- Devices change hands at mid-year; one in eight is given to a project for a quarter.
INSERT INTO mlinfn.device_period (node, device, during, owner_project, given_to, source)
SELECT 'server' || d / 8, 'GPU-' || d, p.during, p.owner, '', 'bench'
FROM generate_series(0, %(devices)s - 1) AS d
CROSS JOIN LATERAL (VALUES
    (tstzrange(%(first)s::timestamptz, %(first)s::timestamptz + interval '182 days'), CASE d %% 4 WHEN 0 THEN 'project1' ELSE '' END),
    (tstzrange(%(first)s::timestamptz + interval '182 days', %(first)s::timestamptz + interval '366 days'),
        CASE d %% 4 WHEN 0 THEN 'project2' ELSE '' END)) AS p (during, owner)
