-- Granted = claimed + given + unallocated, hours by key. Each claimed second moves from where it was granted to who had it.
-- With a key: the rows of that key, one per day, device and user.
WITH used AS (
    SELECT mlinfn.key_of(%(by)s, u.day, coalesce(d.model, 'unknown'), u.username, u.project, u.class) AS key,
        mlinfn.key_of(%(by)s, u.day, coalesce(d.model, 'unknown'), p.place, p.place, p.place) AS place,
        CASE WHEN %(key)s::text IS NOT NULL THEN concat_ws(' ', u.day, u.node, u.device) END AS thing,
        CASE WHEN %(key)s::text IS NOT NULL THEN u.username END AS username,
        u.class, u.given_to, u.granted, sum(u.claimed_s) AS claimed_s
    FROM mlinfn.use_in(%(lo)s, %(hi)s, %(daily)s) AS u
    LEFT JOIN mlinfn.device AS d USING (node, device)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN u.given_to = '' THEN '(unallocated)' ELSE '(given to ' || u.given_to || ')' END) AS p (place)
    WHERE u.device <> ''
    GROUP BY 1, 2, 3, 4, 5, 6, 7
),
moves AS (
    SELECT key, thing, username,
        claimed_s AS granted_s, claimed_s, CASE class WHEN 'interactive' THEN claimed_s ELSE 0 END AS interactive_s,
        CASE class WHEN 'dask' THEN claimed_s ELSE 0 END AS dask_s,
        CASE class WHEN 'batch' THEN claimed_s ELSE 0 END AS batch_s, 0 AS given_s, 0 AS unallocated_s
    FROM used
    UNION ALL
    SELECT place, thing, '(not claimed)', -claimed_s, 0, 0, 0, 0,
        CASE WHEN given_to <> '' THEN -claimed_s ELSE 0 END, CASE WHEN given_to = '' THEN -claimed_s ELSE 0 END
    FROM used WHERE granted
    UNION ALL
    SELECT mlinfn.key_of(%(by)s, g.day, g.model, p.place, p.place, p.place), concat_ws(' ', g.day, g.node, g.device),
        '(not claimed)',
        g.seconds, 0, 0, 0, 0,
        CASE WHEN g.given_to <> '' THEN g.seconds ELSE 0 END, CASE WHEN g.given_to = '' THEN g.seconds ELSE 0 END
    FROM mlinfn.granted_days(%(lo)s, %(hi)s) AS g
    CROSS JOIN LATERAL (
        SELECT CASE WHEN g.given_to = '' THEN '(unallocated)' ELSE '(given to ' || g.given_to || ')' END) AS p (place)
)
SELECT key, CASE WHEN %(key)s::text IS NOT NULL THEN concat_ws(' ', thing, username) ELSE '' END AS detail,
    sum(granted_s) / 3600, sum(claimed_s) / 3600, sum(interactive_s) / 3600, sum(dask_s) / 3600, sum(batch_s) / 3600,
    sum(given_s) / 3600, sum(unallocated_s) / 3600
FROM moves
WHERE %(key)s::text IS NULL OR key = %(key)s
GROUP BY 1, 2
ORDER BY starts_with(key, '('), 1, 2
