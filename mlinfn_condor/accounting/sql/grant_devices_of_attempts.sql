-- … and was granted, from its first attempt to its last with gaps of at most gap_s, where no other period says so already.
WITH spans AS (
    SELECT s.node, d.device, range_agg(tstzrange(to_timestamp(s.started), to_timestamp(s.ended + %(gap_s)s))) AS ran
    FROM staged_attempt AS s CROSS JOIN LATERAL unnest(s.devices) AS d (device)
    WHERE s.ended > s.started
    GROUP BY s.node, d.device
),
known AS (
    SELECT p.node, p.device, range_agg(p.during) AS during,
        range_agg(tstzrange(lower(p.during), upper(p.during) + make_interval(secs => %(gap_s)s))) AS bridged
    FROM spans AS s
    JOIN mlinfn.device_period AS p ON p.node = s.node AND p.device = s.device
        AND p.during && tstzrange(lower(s.ran) - make_interval(secs => %(gap_s)s), upper(s.ran))
    GROUP BY p.node, p.device
),
bridged AS (
    SELECT s.node, s.device, coalesce(k.during, '{}'::tstzmultirange) AS during,
        s.ran + coalesce(k.bridged, '{}'::tstzmultirange) AS spans
    FROM spans AS s LEFT JOIN known AS k USING (node, device)
),
missing AS (
    SELECT b.node, b.device, m.shortened - b.during AS during
    FROM bridged AS b
    CROSS JOIN LATERAL (
        SELECT range_agg(tstzrange(lower(span), upper(span) - make_interval(secs => %(gap_s)s))) AS shortened
        FROM unnest(b.spans) AS u (span) WHERE NOT upper_inf(span)) AS m
),
owned AS (  -- the owner as it was last known: a history says nothing about it
    SELECT m.node, m.device, m.during, coalesce(o.owner_project, '') AS owner_project
    FROM missing AS m
    LEFT JOIN LATERAL (
        SELECT p.owner_project FROM mlinfn.device_period AS p
        WHERE p.node = m.node AND p.device = m.device AND p.source = 'pool'
        ORDER BY lower(p.during) DESC LIMIT 1) AS o ON true
)
INSERT INTO mlinfn.device_period (node, device, during, owner_project, source)
SELECT o.node, o.device, d.during, o.owner_project, 'pool'
FROM owned AS o CROSS JOIN LATERAL unnest(o.during) AS d (during)
ON CONFLICT DO NOTHING
