INSERT INTO mlinfn.day_state (day, changed_at)
SELECT d.day::date, clock_timestamp()
FROM mlinfn.running AS r
CROSS JOIN LATERAL generate_series(
    (r.started_at AT TIME ZONE 'UTC')::date, (r.seen_at AT TIME ZONE 'UTC')::date, interval '1 day') AS d (day)
WHERE NOT EXISTS (SELECT FROM mlinfn.day_state AS s WHERE s.day = d.day AND s.changed_at >= r.started_at
        AND s.day < (r.seen_at AT TIME ZONE 'UTC')::date)
GROUP BY 1
ORDER BY 1
ON CONFLICT (day) DO UPDATE SET changed_at = clock_timestamp()
