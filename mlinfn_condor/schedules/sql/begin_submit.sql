-- From here on a job may be in the queue. A run that data starts begins where the last one that was done has ended, and which
-- that is is known now and no earlier: no other run of the schedule is active.
UPDATE mlinfn_schedule.run r
SET state = 'submitting', changed_at = now(), since = CASE WHEN r.until = '' THEN '' ELSE s.mark END
FROM mlinfn_schedule.schedule s
WHERE s.number = r.schedule
    AND r.schedule = %(schedule)s AND r.due_at = %(due_at)s AND r.try = %(try)s AND r.state = 'due'
RETURNING r.since
