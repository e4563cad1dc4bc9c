-- Runs that have not ended, the oldest first.
SELECT schedule, due_at, try, start_at, state, changed_at, cluster, since, until
FROM mlinfn_schedule.run
WHERE state IN ('due', 'submitting', 'submitted')
ORDER BY due_at, try
