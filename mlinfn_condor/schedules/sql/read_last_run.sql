-- The run before: when it was due, where its data ended, and whether it did its work.
SELECT due_at, until, state = 'done' FROM mlinfn_schedule.run
WHERE schedule = %(number)s
ORDER BY due_at DESC, try DESC
LIMIT 1
