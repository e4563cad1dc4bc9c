-- The latest runs of an owner's schedules, or of one of them.
SELECT s.owner, s.name, r.due_at, r.try, r.state, r.changed_at, r.cluster, r.reason
FROM mlinfn_schedule.run r
JOIN mlinfn_schedule.schedule s ON s.number = r.schedule
WHERE (%(owner)s::text IS NULL OR s.owner = %(owner)s) AND (%(name)s::text IS NULL OR s.name = %(name)s)
ORDER BY r.due_at DESC, r.try DESC
LIMIT %(limit)s
