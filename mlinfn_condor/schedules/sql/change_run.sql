-- The next state of a run, if it is still in the one that the caller saw.
UPDATE mlinfn_schedule.run
SET state = %(state)s, reason = %(reason)s, cluster = coalesce(%(cluster)s, cluster), changed_at = now()
WHERE schedule = %(schedule)s AND due_at = %(due_at)s AND try = %(try)s AND state = %(was)s
