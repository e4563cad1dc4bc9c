-- Energy that the devices measured = attributed to attempts + unattributed, and the hours with unknown energy, by key.
-- By user, project or class what no attempt accounts for is a row. With a key: its rows, one per day, device and user.
WITH used AS (
    SELECT u.*, coalesce(d.model, 'unknown') AS model
    FROM mlinfn.use_in(%(lo)s, %(hi)s) AS u LEFT JOIN mlinfn.device AS d USING (node, device)
    WHERE u.device <> '' AND u.energy_s > 0
),
moves AS (
    SELECT (h.hour AT TIME ZONE 'UTC')::date AS day, coalesce(d.model, 'unknown') AS model, h.node, h.device,
        '(unattributed)' AS username, '(unattributed)' AS project, '(unattributed)' AS class,
        h.joules, 0::double precision AS attributed_j, h.joules AS unattributed_j, h.energy_s AS known_s, h.energy_s,
        0::double precision AS granted_s,
        CASE h.energy_source WHEN 'c' THEN 'counter' WHEN 'i' THEN 'integrated' WHEN 's' THEN 'simulated' END AS source
    FROM mlinfn.device_hours_in(%(lo)s, %(hi)s) AS h LEFT JOIN mlinfn.device AS d USING (node, device)
    UNION ALL
    SELECT g.day, g.model, g.node, g.device, '(unattributed)', '(unattributed)', '(unattributed)', 0, 0, 0, 0, 0, g.seconds, NULL
    FROM mlinfn.granted_days(%(lo)s, %(hi)s) AS g WHERE g.given_to = ''
    UNION ALL
    SELECT day, model, node, device, '(unattributed)', '(unattributed)', '(unattributed)', -joules, 0, -joules, 0, 0, 0, NULL
    FROM used
    UNION ALL
    SELECT day, model, node, device, username, project, class, joules, joules, 0,
        CASE WHEN %(by)s IN ('user', 'project', 'class') THEN energy_s ELSE 0 END, 0, 0, NULL
    FROM used
),
keyed AS (
    SELECT m.*, mlinfn.key_of(%(by)s, day, model, username, project, class) AS key FROM moves AS m
)
SELECT key,
    CASE WHEN %(key)s::text IS NOT NULL
        THEN concat_ws(' ', day, node, device, CASE WHEN attributed_j > 0 THEN username END) ELSE '' END AS detail,
    CASE WHEN sum(known_s) > 0 OR %(key)s::text IS NOT NULL THEN sum(joules) / 3.6e6 END,
    sum(attributed_j) / 3.6e6,
    CASE WHEN sum(known_s) > 0 OR %(key)s::text IS NOT NULL THEN sum(unattributed_j) / 3.6e6 END,
    sum(energy_s) / 3600, greatest(0, sum(granted_s) - sum(energy_s)) / 3600, string_agg(DISTINCT source, ', ')
FROM keyed
WHERE %(key)s::text IS NULL OR key = %(key)s
GROUP BY 1, 2
ORDER BY starts_with(key, '('), 1, 2
