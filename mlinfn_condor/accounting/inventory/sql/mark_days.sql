-- Sums of days in which a device changed hands are added up again, where their rows are still there.
UPDATE mlinfn.day_state SET changed_at = clock_timestamp()
WHERE day >= (%(since)s::timestamptz AT TIME ZONE 'UTC')::date AND NOT sums_only
