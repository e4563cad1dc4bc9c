-- Energy that the devices measured = attributed to attempts + unattributed, and the hours with unknown energy, by key.
-- By user, project or class what no attempt accounts for is a row. With a key: its rows, one per day, device and user.
WITH used AS (
    SELECT mlinfn.key_of(%(by)s, u.day, coalesce(d.model, 'unknown'), u.username, u.project, u.class) AS key,
        mlinfn.key_of(%(by)s, u.day, coalesce(d.model, 'unknown'), '(unattributed)', '(unattributed)', '(unattributed)') AS rest,
        CASE WHEN %(key)s::text IS NOT NULL THEN concat_ws(' ', u.day, u.node, u.device) END AS thing,
        CASE WHEN %(key)s::text IS NOT NULL THEN u.username END AS username,
        sum(u.joules) AS joules, sum(u.energy_s) AS energy_s
    FROM mlinfn.use_in(%(lo)s, %(hi)s, %(daily)s) AS u LEFT JOIN mlinfn.device AS d USING (node, device)
    WHERE u.device <> '' AND u.energy_s > 0
    GROUP BY 1, 2, 3, 4
),
measured AS (
    SELECT (h.hour AT TIME ZONE 'UTC')::date AS day, h.node, h.device, h.energy_source,
        sum(h.joules) AS joules, sum(h.energy_s) AS energy_s
    FROM mlinfn.device_hours_in(%(lo)s, %(hi)s) AS h
    GROUP BY 1, 2, 3, 4
),
keyed AS (
    SELECT mlinfn.key_of(%(by)s, m.day, coalesce(d.model, 'unknown'), '(unattributed)', '(unattributed)', '(unattributed)')
            AS key, concat_ws(' ', m.day, m.node, m.device) AS thing, NULL AS username,
        m.joules, 0::double precision AS attributed_j, m.joules AS unattributed_j, m.energy_s AS known_s, m.energy_s,
        0::double precision AS granted_s,
        CASE m.energy_source WHEN 'c' THEN 'counter' WHEN 'i' THEN 'integrated' WHEN 's' THEN 'simulated' END AS source
    FROM measured AS m LEFT JOIN mlinfn.device AS d USING (node, device)
    UNION ALL
    SELECT mlinfn.key_of(%(by)s, g.day, g.model, '(unattributed)', '(unattributed)', '(unattributed)'),
        concat_ws(' ', g.day, g.node, g.device), NULL, 0, 0, 0, 0, 0, g.seconds, NULL
    FROM mlinfn.granted_days(%(lo)s, %(hi)s) AS g WHERE g.given_to = ''
    UNION ALL
    SELECT rest, thing, NULL, -joules, 0, -joules, 0, 0, 0, NULL FROM used
    UNION ALL
    SELECT key, thing, username, joules, joules, 0,
        CASE WHEN %(by)s IN ('user', 'project', 'class') THEN energy_s ELSE 0 END, 0, 0, NULL
    FROM used
)
SELECT key,
    CASE WHEN %(key)s::text IS NOT NULL THEN concat_ws(' ', thing, username) ELSE '' END AS detail,
    CASE WHEN sum(known_s) > 0 OR %(key)s::text IS NOT NULL THEN sum(joules) / 3.6e6 END,
    sum(attributed_j) / 3.6e6,
    CASE WHEN sum(known_s) > 0 OR %(key)s::text IS NOT NULL THEN sum(unattributed_j) / 3.6e6 END,
    sum(energy_s) / 3600, greatest(0, sum(granted_s) - sum(energy_s)) / 3600, string_agg(DISTINCT source, ', ')
FROM keyed
WHERE %(key)s::text IS NULL OR key = %(key)s
GROUP BY 1, 2
ORDER BY starts_with(key, '('), 1, 2
