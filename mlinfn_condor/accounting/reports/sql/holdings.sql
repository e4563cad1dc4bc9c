-- The attempts themselves behind a key, cut at days, longest first; the count of all and their hours beside each.
SELECT h.access_point || h.cluster || '.' || h.proc || ' run ' || h.run, h.username, h.project, h.class, h.node, h.device,
    h.outcome, p.from_at, p.to_at, extract(epoch FROM p.to_at - p.from_at)::double precision / 3600, count(*) OVER (),
    sum(extract(epoch FROM p.to_at - p.from_at)::double precision / 3600) OVER ()
FROM mlinfn.holdings(%(lo)s, %(hi)s) AS h
LEFT JOIN mlinfn.device AS d USING (node, device)
CROSS JOIN LATERAL generate_series(
    date_trunc('day', h.from_at AT TIME ZONE 'UTC'),
    greatest(h.from_at, h.to_at - interval '1 microsecond') AT TIME ZONE 'UTC', interval '1 day') AS t (day)
CROSS JOIN LATERAL (
    SELECT greatest(h.from_at, t.day AT TIME ZONE 'UTC') AS from_at,
        least(h.to_at, (t.day + interval '1 day') AT TIME ZONE 'UTC') AS to_at) AS p
WHERE h.device IS NOT NULL
    AND mlinfn.key_of(%(by)s, t.day::date, coalesce(d.model, 'unknown'), h.username, h.project, h.class) = %(key)s
ORDER BY 10 DESC, p.from_at
LIMIT %(most)s
