-- Attempts and hours by key, those without a device included (device model: none).
-- With a key: the rows of that key, one per day, device and user.
SELECT mlinfn.key_of(%(by)s, u.day, CASE u.device WHEN '' THEN 'none' ELSE coalesce(d.model, 'unknown') END,
        u.username, u.project, u.class) AS key,
    CASE WHEN %(key)s::text IS NOT NULL THEN concat_ws(' ', u.day, u.node, u.device, u.username, u.class) ELSE '' END AS detail,
    sum(u.attempts), sum(u.displaced), sum(u.failed),
    coalesce(sum(u.claimed_s) FILTER (WHERE u.device <> ''), 0) / 3600,
    100 * coalesce(sum(u.claimed_s) FILTER (WHERE u.device <> ''), 0)
        / nullif(sum(coalesce(sum(u.claimed_s) FILTER (WHERE u.device <> ''), 0)) OVER (), 0),
    sum(u.cpu_s) / 3600
FROM mlinfn.use_in(%(lo)s, %(hi)s, %(daily)s) AS u LEFT JOIN mlinfn.device AS d USING (node, device)
WHERE %(key)s::text IS NULL
    OR mlinfn.key_of(%(by)s, u.day, CASE u.device WHEN '' THEN 'none' ELSE coalesce(d.model, 'unknown') END,
        u.username, u.project, u.class) = %(key)s
GROUP BY 1, 2
ORDER BY 6 DESC, 1, 2
