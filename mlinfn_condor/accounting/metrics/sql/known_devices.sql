-- Devices that the platform has now, and whose they are.
SELECT p.node, p.device, d.kind, d.model, d.simulated, p.owner_project
FROM mlinfn.device_period AS p JOIN mlinfn.device AS d USING (node, device)
WHERE p.during @> %(now)s::timestamptz OR p.source = 'pool' AND upper(p.during) > %(fresh)s
