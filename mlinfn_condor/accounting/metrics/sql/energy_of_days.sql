-- What the devices measured, claimed or not, as in `report energy`: a row for each day and model.
WITH measured AS (
    SELECT t.day, h.node, h.device, h.joules, h.energy_s
    FROM unnest(%(settled)s::date[]) AS t (day)
    JOIN mlinfn.device_hour AS h ON h.hour >= t.day::timestamp AT TIME ZONE 'UTC'
        AND h.hour < (t.day + 1)::timestamp AT TIME ZONE 'UTC'
    UNION ALL
    SELECT p.day, s.node, s.device, s.joules, s.energy_s
    FROM mlinfn.parts('-infinity', %(now)s) AS p
    CROSS JOIN LATERAL (  -- by hours, as device_hours_between has it, would be ten times the price
        SELECT node, device, sum(joules) AS joules, sum(energy_s) AS energy_s
        FROM mlinfn.device_sample WHERE at > p.from_at AND at <= p.to_at GROUP BY node, device) AS s
    WHERE p.day = ANY (%(open)s::date[])
)
SELECT m.day, coalesce(d.model, 'unknown'), sum(m.joules), sum(m.energy_s)
FROM measured AS m LEFT JOIN mlinfn.device AS d USING (node, device)
WHERE m.energy_s > 0
GROUP BY 1, 2
