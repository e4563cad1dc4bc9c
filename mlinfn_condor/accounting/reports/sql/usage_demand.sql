-- The most that ran at once in each slice of time, by class and device model. Then, with their hour instead of a slice:
-- the largest interactive demand for each device model, and the first hour that had it.
WITH demand AS MATERIALIZED (
    SELECT hour, class, coalesce(nullif(model, ''), 'none') AS model, users, attempts, devices
    FROM mlinfn.demand_in(%(lo)s, %(hi)s)
),
days AS (
    SELECT (hour AT TIME ZONE 'UTC')::date AS day, class, model,
        max(users) AS users, max(attempts) AS attempts, max(devices) AS devices
    FROM demand GROUP BY 1, 2, 3
),
peaks AS (
    SELECT DISTINCT ON (model) hour, class, model, users, attempts, devices
    FROM demand WHERE class = 'interactive'
    ORDER BY model, devices DESC, attempts DESC, hour
)
SELECT mlinfn.key_of(%(slice)s, day, '', '', '', '') AS slice, NULL AS hour, class, model, max(users), max(attempts), max(devices)
FROM days GROUP BY 1, 3, 4
UNION ALL
SELECT NULL, hour, class, model, users, attempts, devices FROM peaks
ORDER BY 1, 3, 4
