-- A device that ran something exists, even if nobody looked at its node at that time.
INSERT INTO mlinfn.device (node, device, kind, model)
SELECT DISTINCT ON (s.node, d.device) s.node, d.device,
    CASE WHEN d.device ILIKE '%%fpga%%' THEN 'fpga' ELSE 'gpu' END, coalesce(nullif(s.model, ''), 'unknown')
FROM staged_attempt AS s CROSS JOIN LATERAL unnest(s.devices) AS d (device)
ON CONFLICT DO NOTHING
