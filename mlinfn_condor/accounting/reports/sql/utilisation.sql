-- Claimed = busy + idle + lost + unmeasured, hours by key; energy of the attempts whose energy is known.
-- With a key: the rows of that key, one per day, device and user.
SELECT mlinfn.key_of(%(by)s, u.day, coalesce(d.model, 'unknown'), u.username, u.project, u.class) AS key,
    CASE WHEN %(key)s::text IS NOT NULL THEN concat_ws(' ', u.day, u.node, u.device, u.username) ELSE '' END AS detail,
    sum(u.claimed_s) / 3600, sum(u.busy_s) / 3600, sum(u.measured_s - u.busy_s) / 3600, sum(u.lost_s) / 3600,
    sum(u.claimed_s - u.lost_s - u.measured_s) / 3600,
    100 * sum(u.busy_s) / nullif(sum(u.measured_s), 0), sum(u.handover_s) / 3600,
    CASE WHEN sum(u.energy_s) > 0 THEN sum(u.joules) / 3.6e6 END, sum(u.claimed_s - u.energy_s) / 3600
FROM mlinfn.use_in(%(lo)s, %(hi)s, %(daily)s) AS u LEFT JOIN mlinfn.device AS d USING (node, device)
WHERE u.device <> ''
    AND (%(key)s::text IS NULL
        OR mlinfn.key_of(%(by)s, u.day, coalesce(d.model, 'unknown'), u.username, u.project, u.class) = %(key)s)
GROUP BY 1, 2
ORDER BY 1, 2
