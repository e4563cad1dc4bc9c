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
    FROM mlinfn.device_period AS p JOIN spans USING (node, device)
    GROUP BY p.node, p.device
),
bridged AS (
    SELECT s.node, s.device, coalesce(k.during, '{}'::tstzmultirange) AS during,
        unnest(s.ran + coalesce(k.bridged, '{}'::tstzmultirange)) AS span
    FROM spans AS s LEFT JOIN known AS k USING (node, device)
),
missing AS (
    SELECT node, device,
        range_agg(tstzrange(lower(span), upper(span) - make_interval(secs => %(gap_s)s))) - during AS during
    FROM bridged
    WHERE upper(span) IS NOT NULL
    GROUP BY node, device, during
)
INSERT INTO mlinfn.device_period (node, device, during, owner_project, source)
SELECT m.node, m.device, d.during, coalesce((
        SELECT p.owner_project FROM mlinfn.device_period AS p
        WHERE p.node = m.node AND p.device = m.device AND p.source = 'pool'
        ORDER BY abs(extract(epoch FROM lower(p.during) - lower(d.during))) LIMIT 1), ''), 'pool'
FROM missing AS m CROSS JOIN LATERAL unnest(m.during) AS d (during)
ON CONFLICT DO NOTHING
