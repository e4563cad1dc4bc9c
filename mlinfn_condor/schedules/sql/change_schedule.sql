-- What a schedule wants, changed where it stands: its number, its history and its runs stay. With another clock it counts from
-- now on, with other data from `mark` on; otherwise it goes on from where it is.
UPDATE mlinfn_schedule.schedule SET
    misfire = %(misfire)s, grace_s = %(grace_s)s, catch_up = %(catch_up)s, jitter_s = %(jitter_s)s, overlap = %(overlap)s,
    retries = %(retries)s, retry_s = %(retry_s)s, least = %(least)s, at_latest_s = %(at_latest_s)s, job = %(job)s::jsonb,
    added_at = CASE WHEN (kind, spec, zone) = (%(kind)s, %(spec)s, %(zone)s) THEN added_at ELSE %(now)s END,
    planned_until = CASE WHEN (kind, spec, zone) = (%(kind)s, %(spec)s, %(zone)s) THEN planned_until ELSE %(now)s END,
    mark = CASE WHEN (kind, spec) = (%(kind)s, %(spec)s) THEN mark ELSE %(mark)s END,
    kind = %(kind)s, spec = %(spec)s, zone = %(zone)s
WHERE owner = %(owner)s AND name = %(name)s AND removed_at IS NULL AND declared_in = %(declared_in)s
RETURNING number
