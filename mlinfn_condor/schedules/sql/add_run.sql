-- A run that waits for its start.
INSERT INTO mlinfn_schedule.run (schedule, due_at, try, start_at, until)
VALUES (%(schedule)s, %(due_at)s, %(try)s, %(start_at)s, %(until)s)
ON CONFLICT DO NOTHING
