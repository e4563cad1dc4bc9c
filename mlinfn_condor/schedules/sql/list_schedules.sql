-- Schedules that are not removed: all, or of one owner, or one of his.
SELECT
    number, owner, name, kind, spec, zone, misfire, grace_s, catch_up, jitter_s, overlap, retries, retry_s, least, at_latest_s,
    job, added_at, planned_until, mark, declared_in
FROM mlinfn_schedule.schedule
WHERE removed_at IS NULL
    AND (%(owner)s::text IS NULL OR owner = %(owner)s)
    AND (%(name)s::text IS NULL OR name = %(name)s)
ORDER BY owner, name
