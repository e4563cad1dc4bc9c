INSERT INTO mlinfn.device (node, device, kind, model)
SELECT DISTINCT ON (node, device) node, device, kind, model
FROM staged_grant ORDER BY node, device, lower(during) DESC
ON CONFLICT (node, device) DO UPDATE SET kind = excluded.kind, model = excluded.model
WHERE (device.kind, device.model) IS DISTINCT FROM (excluded.kind, excluded.model)
