-- Contributed = used by the owner + lent + idle, hours by owning project and key.
-- With a key: its rows, one per day, device and project that had it.
WITH used AS (
    SELECT u.*, coalesce(d.model, 'unknown') AS model
    FROM mlinfn.use_in(%(lo)s, %(hi)s, %(daily)s) AS u LEFT JOIN mlinfn.device AS d USING (node, device)
    WHERE u.device <> '' AND u.owner_project <> ''
),
moves AS (
    SELECT owner_project AS owner, day, model, node, device, project AS had,
        0 AS contributed_s, CASE WHEN project = owner_project THEN claimed_s ELSE 0 END AS own_s,
        CASE WHEN project <> owner_project THEN claimed_s ELSE 0 END AS lent_s, 0 AS idle_s
    FROM used
    UNION ALL
    SELECT owner_project, day, model, node, device, given_to, 0,
        CASE WHEN given_to = owner_project THEN -claimed_s ELSE 0 END,
        CASE WHEN given_to NOT IN ('', owner_project) THEN -claimed_s ELSE 0 END,
        CASE WHEN given_to = '' THEN -claimed_s ELSE 0 END
    FROM used
    UNION ALL
    SELECT owner_project, day, model, node, device, given_to, seconds,
        CASE WHEN given_to = owner_project THEN seconds ELSE 0 END,
        CASE WHEN given_to NOT IN ('', owner_project) THEN seconds ELSE 0 END,
        CASE WHEN given_to = '' THEN seconds ELSE 0 END
    FROM mlinfn.granted_days(%(lo)s, %(hi)s) WHERE owner_project <> ''
),
keyed AS (
    SELECT m.*, concat_ws('/', owner, mlinfn.key_of(nullif(%(by)s, 'project'), day, model, '', '', '')) AS key FROM moves AS m
)
SELECT key, CASE WHEN %(key)s::text IS NOT NULL THEN concat_ws(' ', day, node, device, had) ELSE '' END AS detail,
    sum(contributed_s) / 3600, sum(own_s) / 3600, sum(lent_s) / 3600, sum(idle_s) / 3600
FROM keyed
WHERE %(key)s::text IS NULL OR key = %(key)s
GROUP BY 1, 2
ORDER BY 1, 2
