-- What reports group by.

CREATE FUNCTION mlinfn.key_of(by text, day date, model text, username text, project text, class text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE by
        WHEN 'day' THEN to_char(day, 'YYYY-MM-DD')
        WHEN 'week' THEN to_char(day, 'IYYY-"W"IW')
        WHEN 'month' THEN to_char(day, 'YYYY-MM')
        WHEN 'user' THEN username
        WHEN 'project' THEN project
        WHEN 'class' THEN class
        WHEN 'device-model' THEN model
    END
$$;
COMMENT ON FUNCTION mlinfn.key_of IS 'Key of a report''s row: a slice of time (UTC, weeks of ISO 8601), who, or which device model.';

CREATE FUNCTION mlinfn.granted_days(lo timestamptz, hi timestamptz)
    RETURNS TABLE (day date, node text, device text, model text, owner_project text, given_to text, seconds double precision)
    LANGUAGE sql STABLE AS $$
    SELECT d.day::date, g.node, g.device, g.model, g.owner_project, g.given_to,
        extract(epoch FROM least(g.to_at, (d.day + interval '1 day') AT TIME ZONE 'UTC')
            - greatest(g.from_at, d.day AT TIME ZONE 'UTC'))::double precision
    FROM mlinfn.granted_between(lo, hi) AS g
    CROSS JOIN LATERAL generate_series(
        date_trunc('day', g.from_at AT TIME ZONE 'UTC'), g.to_at AT TIME ZONE 'UTC' - interval '1 microsecond',
        interval '1 day') AS d (day)
$$;
COMMENT ON FUNCTION mlinfn.granted_days IS 'Seconds of each day (UTC) in which a device was granted, and to whom.';
