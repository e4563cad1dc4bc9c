-- What people waited between the click and the session that answers, by the device model that they asked for.
SELECT coalesce(nullif(model, ''), 'none'), count(*), count(*) FILTER (WHERE outcome = 'ready'),
    count(*) FILTER (WHERE outcome = 'failed'), count(*) FILTER (WHERE outcome = 'stopped'),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY wait_s), percentile_cont(0.95) WITHIN GROUP (ORDER BY wait_s), max(wait_s)
FROM (
    SELECT model, outcome,
        CASE outcome WHEN 'ready' THEN extract(epoch FROM ready_at - clicked_at)::double precision END AS wait_s
    FROM mlinfn.spawn WHERE clicked_at >= %(lo)s AND clicked_at < %(hi)s) AS s
GROUP BY 1
ORDER BY 1
