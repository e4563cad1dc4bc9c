-- The largest interactive demand for each device model, and the first hour that had it.
SELECT DISTINCT ON (model) coalesce(nullif(model, ''), 'none'), devices, attempts, users, hour
FROM mlinfn.demand_in(%(lo)s, %(hi)s)
WHERE class = 'interactive'
ORDER BY model, devices DESC, attempts DESC, hour
