-- Sessions as people met them, by the model that they asked for; for those that became ready, how many waited how long.
-- A bound belongs to the bucket below it: a microsecond less than what was measured falls there.
SELECT coalesce(nullif(model, ''), 'none'), outcome,
    CASE outcome WHEN 'ready' THEN width_bucket(wait - interval '1 microsecond', %(bounds)s::interval[]) END, count(*),
    extract(epoch FROM sum(wait))::double precision
FROM (SELECT model, outcome, ready_at - clicked_at AS wait FROM mlinfn.spawn WHERE clicked_at < %(now)s) AS s
GROUP BY 1, 2, 3
