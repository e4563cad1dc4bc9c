-- Sessions as people met them, by the model that they asked for; for those that became ready, how many waited how long.
-- A bound belongs to the bucket below it: half a microsecond less than what was measured falls there.
SELECT coalesce(nullif(model, ''), 'none'), outcome,
    CASE outcome WHEN 'ready' THEN width_bucket(wait_s - 5e-7, %(bounds)s::double precision[]) END, count(*), sum(wait_s)
FROM (
    SELECT model, outcome, extract(epoch FROM ready_at - clicked_at)::double precision AS wait_s
    FROM mlinfn.spawn WHERE clicked_at < %(now)s) AS s
GROUP BY 1, 2, 3
