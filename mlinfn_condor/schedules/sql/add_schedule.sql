-- A new schedule, unless its owner has as many as he may; no row then.
INSERT INTO mlinfn_schedule.schedule
    (owner, name, kind, spec, zone, misfire, grace_s, catch_up, jitter_s, overlap, retries, retry_s, least, at_latest_s,
     job, added_at, planned_until, mark, declared_in)
SELECT
    %(owner)s, %(name)s, %(kind)s, %(spec)s, %(zone)s, %(misfire)s, %(grace_s)s, %(catch_up)s, %(jitter_s)s, %(overlap)s,
    %(retries)s, %(retry_s)s, %(least)s, %(at_latest_s)s, %(job)s::jsonb, %(now)s, %(now)s, %(mark)s,
    %(declared_in)s
WHERE (
    SELECT count(*) FROM mlinfn_schedule.schedule WHERE owner = %(owner)s AND removed_at IS NULL
) < %(per_user)s
RETURNING number
