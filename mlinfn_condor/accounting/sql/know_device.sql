INSERT INTO mlinfn.device (node, device, kind, model, simulated)
VALUES (%(node)s, %(device)s, %(kind)s, %(model)s, %(simulated)s)
ON CONFLICT (node, device) DO UPDATE
SET kind = excluded.kind, model = excluded.model, simulated = excluded.simulated
WHERE (device.kind, device.model, device.simulated) IS DISTINCT FROM (excluded.kind, excluded.model, excluded.simulated)
