-- The plan's end, if nobody planned in between; then the due times before it are this plan's alone.
UPDATE mlinfn_schedule.schedule SET planned_until = %(until)s
WHERE number = %(number)s AND planned_until = %(after)s AND removed_at IS NULL
