-- Sums of days in which a device changed hands are added up again, where their rows are still there. Everybody locks days
-- in their order.
UPDATE mlinfn.day_state AS s SET changed_at = clock_timestamp()
FROM (
    SELECT day FROM mlinfn.day_state WHERE day >= (%(since)s::timestamptz AT TIME ZONE 'UTC')::date AND NOT sums_only
    ORDER BY day FOR UPDATE) AS d
WHERE s.day = d.day
