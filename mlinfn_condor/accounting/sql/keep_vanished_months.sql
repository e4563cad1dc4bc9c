SELECT mlinfn.keep_month('attempt', month)
FROM (
    SELECT DISTINCT date_trunc('month', greatest(seen_at, started_at), 'UTC') AS month FROM mlinfn.running
    WHERE gone_at < to_timestamp(%(at)s) - make_interval(secs => %(patience_s)s)) AS months
