-- Device seconds of the inventory so far, by model: of the pool, and of those whom a device was given to.
SELECT g.model, g.given_to <> '', sum(extract(epoch FROM g.to_at - g.from_at))::double precision
FROM mlinfn.granted_between('-infinity', %(now)s) AS g
WHERE isfinite(g.from_at)
GROUP BY 1, 2
