-- A run with what its submit needs.
SELECT r.state, extract(epoch FROM now() - r.changed_at)::float8, r.since, r.until, s.owner, s.job
FROM mlinfn_schedule.run r
JOIN mlinfn_schedule.schedule s ON s.number = r.schedule
WHERE r.schedule = %(schedule)s AND r.due_at = %(due_at)s AND r.try = %(try)s
