-- Devices that are granted or used at the last look, by model, state and class of who has them. In a hand-over a device
-- is whose it was first. A period of the pool ends with the last look that saw its device.
WITH looked AS (SELECT max(upper(during)) AS at FROM mlinfn.device_period WHERE source = 'pool'),
granted AS (
    SELECT p.node, p.device, p.given_to
    FROM mlinfn.device_period AS p, looked
    WHERE p.during @> %(now)s::timestamptz
        OR p.source = 'pool' AND upper(p.during) = looked.at AND looked.at > %(fresh)s
),
claimed AS (
    SELECT DISTINCT ON (r.node, t.device) r.node, t.device, r.class
    FROM mlinfn.running AS r CROSS JOIN LATERAL unnest(r.devices) AS t (device)
    WHERE r.gone_at IS NULL AND r.seen_at > %(fresh)s
    ORDER BY r.node, t.device, r.started_at, r.cluster, r.proc
)
SELECT coalesce(d.model, 'unknown'),
    CASE WHEN c.class IS NOT NULL THEN 'claimed' WHEN g.given_to <> '' THEN 'given' ELSE 'unallocated' END,
    coalesce(c.class, ''), count(*)
FROM granted AS g
FULL JOIN claimed AS c USING (node, device)
LEFT JOIN mlinfn.device AS d USING (node, device)
GROUP BY 1, 2, 3
