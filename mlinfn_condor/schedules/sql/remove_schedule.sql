-- No due time of it gets a run any more; runs that wait are never started, jobs that are submitted stay.
WITH gone AS (
    UPDATE mlinfn_schedule.schedule SET removed_at = now()
    WHERE owner = %(owner)s AND name = %(name)s AND removed_at IS NULL
    RETURNING number
),
never AS (
    UPDATE mlinfn_schedule.run SET state = 'skipped', changed_at = now(), reason = 'the schedule was removed'
    WHERE schedule = (SELECT number FROM gone) AND state = 'due'
)
SELECT number FROM gone
