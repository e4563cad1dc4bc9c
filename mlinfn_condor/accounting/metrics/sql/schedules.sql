-- Schedules and their runs that are kept, by what starts them, and how long one is due that only the scheduler keeps waiting.
SELECT kind, schedules, done, failed, skipped, running,
    greatest(0, coalesce(extract(epoch FROM %(now)s - due_since), 0))::double precision
FROM mlinfn_schedule.health
