-- Prolong the period of a device that is still there and still its owner's, or begin one. Imported periods have their way.
WITH look AS (SELECT to_timestamp(%(at)s) AS at, make_interval(secs => %(gap_s)s) AS gap),
last AS (
    SELECT p.during, p.owner_project, p.source
    FROM mlinfn.device_period AS p, look
    WHERE p.node = %(node)s AND p.device = %(device)s AND lower(p.during) < look.at
    ORDER BY lower(p.during) DESC LIMIT 1
),
prolonged AS (
    UPDATE mlinfn.device_period AS p SET during = tstzrange(lower(p.during), look.at)
    FROM look, last
    WHERE p.node = %(node)s AND p.device = %(device)s AND p.during = last.during AND last.source = 'pool'
        AND last.owner_project = %(owner_project)s AND upper(p.during) < look.at
        AND look.at - upper(p.during) <= look.gap
    RETURNING 1
)
INSERT INTO mlinfn.device_period (node, device, during, owner_project, source)
SELECT %(node)s, %(device)s, tstzrange(
        CASE WHEN look.at - upper(last.during) <= look.gap THEN upper(last.during) ELSE look.at - interval '1 second' END,
        look.at), %(owner_project)s, 'pool'
FROM look LEFT JOIN last ON true
WHERE NOT EXISTS (SELECT FROM prolonged) AND (last.during IS NULL OR upper(last.during) < look.at)
ON CONFLICT DO NOTHING
