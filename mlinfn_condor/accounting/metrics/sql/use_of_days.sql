-- What claimed devices did, as in `report utilisation` and `usage`: a row for each day, model, project and class.
WITH used AS (
    SELECT u.* FROM mlinfn.day_use AS u WHERE u.day = ANY (%(settled)s::date[])
    UNION ALL
    SELECT p.day, u.* FROM mlinfn.parts('-infinity', %(now)s) AS p
    CROSS JOIN LATERAL mlinfn.use_between(p.from_at, p.to_at) AS u WHERE p.day = ANY (%(open)s::date[])
)
SELECT u.day, CASE u.device WHEN '' THEN 'none' ELSE coalesce(d.model, 'unknown') END, u.project, u.class,
    sum(u.attempts), sum(u.displaced), sum(u.failed), sum(u.claimed_s), sum(u.lost_s), sum(u.busy_s), sum(u.measured_s),
    sum(u.joules), sum(u.energy_s), sum(u.handover_s), sum(u.cpu_s),
    coalesce(sum(u.claimed_s) FILTER (WHERE u.granted AND u.given_to <> ''), 0),
    coalesce(sum(u.claimed_s) FILTER (WHERE u.granted AND u.given_to = ''), 0)
FROM used AS u LEFT JOIN mlinfn.device AS d USING (node, device)
GROUP BY 1, 2, 3, 4
