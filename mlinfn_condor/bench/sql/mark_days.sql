INSERT INTO mlinfn.day_state (day, changed_at)
SELECT d::date, clock_timestamp()
FROM generate_series(%(first)s::timestamptz, %(first)s::timestamptz + interval '364 days', interval '1 day') AS d
