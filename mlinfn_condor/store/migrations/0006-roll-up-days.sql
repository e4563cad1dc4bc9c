-- Days that are over are added up once; a day that changes is added up again. Every function gives the same for the same rows.

CREATE FUNCTION mlinfn.use_between(lo timestamptz, hi timestamptz)
    RETURNS TABLE (
        node text, device text, owner_project text, given_to text, granted boolean, username text, project text, class text,
        attempts integer, displaced integer, failed integer, claimed_s double precision, lost_s double precision,
        busy_s double precision, measured_s double precision, joules double precision, energy_s double precision,
        handover_s double precision, cpu_s double precision)
    LANGUAGE sql STABLE AS $$
    SELECT
        h.node, coalesce(h.device, ''), coalesce(h.owner_project, ''), h.given_to, h.granted, h.username, h.project, h.class,
        count(*) FILTER (WHERE h.ended)::integer,
        count(*) FILTER (WHERE h.ended AND h.outcome = 'displaced')::integer,
        count(*) FILTER (WHERE h.ended AND h.outcome IN ('failed', 'vanished'))::integer,
        sum(h.claimed_s), sum(h.lost_s), coalesce(sum(h.busy_s), 0), sum(h.measured_s), coalesce(sum(h.joules), 0),
        sum(h.energy_s), sum(h.handover_s), sum(h.cpu_s)
    FROM mlinfn.holdings(lo, hi) AS h
    GROUP BY h.node, coalesce(h.device, ''), coalesce(h.owner_project, ''), h.given_to, h.granted, h.username, h.project, h.class
$$;

CREATE FUNCTION mlinfn.tasks_between(lo timestamptz, hi timestamptz)
    RETURNS TABLE (task text, username text, project text, class text, attempts integer, claimed_s double precision)
    LANGUAGE sql STABLE AS $$
    SELECT h.task, h.username, h.project, h.class, count(*) FILTER (WHERE h.ended)::integer,
        coalesce(sum(h.claimed_s) FILTER (WHERE h.device IS NOT NULL), 0)
    FROM mlinfn.holdings(lo, hi) AS h
    GROUP BY h.task, h.username, h.project, h.class
$$;

CREATE FUNCTION mlinfn.demand_between(lo timestamptz, hi timestamptz)
    RETURNS TABLE (hour timestamptz, class text, model text, users integer, attempts integer, devices integer)
    LANGUAGE sql STABLE AS $$
    WITH ran AS (
        SELECT
            a.class, coalesce(d.model, '') AS model, a.username, cardinality(a.devices) AS devices,
            greatest(a.started_at, lo) AS s, least(a.ended_at, hi) AS e
        FROM mlinfn.attempt_known AS a
        LEFT JOIN mlinfn.device AS d ON d.node = a.node AND d.device = a.devices[1]
        WHERE a.started_at < hi AND a.ended_at > lo AND a.started_at < a.ended_at
    ),
    alone AS (  -- a person's overlapping attempts are one presence
        SELECT r.class, r.model, r.username, unnest(range_agg(tstzrange(r.s, r.e))) AS present
        FROM ran AS r GROUP BY r.class, r.model, r.username
    ),
    steps AS (
        SELECT class, model, s AS at, 0 AS users, 1 AS attempts, devices FROM ran
        UNION ALL SELECT class, model, e, 0, -1, -devices FROM ran
        UNION ALL SELECT class, model, lower(present), 1, 0, 0 FROM alone
        UNION ALL SELECT class, model, upper(present), -1, 0, 0 FROM alone
        UNION ALL SELECT k.class, k.model, t.at, 0, 0, 0  -- what goes on from one hour into the next counts there
            FROM (SELECT DISTINCT class, model FROM ran) AS k,
                generate_series(date_trunc('hour', lo), hi - interval '1 microsecond', interval '1 hour') AS t (at)
    ),
    moments AS (
        SELECT class, model, at, sum(users) AS users, sum(attempts) AS attempts, sum(devices) AS devices
        FROM steps GROUP BY class, model, at
    ),
    levels AS (
        SELECT class, model, at,
            sum(users) OVER w AS users, sum(attempts) OVER w AS attempts, sum(devices) OVER w AS devices
        FROM moments WINDOW w AS (PARTITION BY class, model ORDER BY at)
    )
    SELECT date_trunc('hour', at, 'UTC'), class, model, max(users)::integer, max(attempts)::integer, max(devices)::integer
    FROM levels
    WHERE at < hi
    GROUP BY 1, class, model
    HAVING max(attempts) > 0
$$;

CREATE FUNCTION mlinfn.sizes_between(lo timestamptz, hi timestamptz)
    RETURNS TABLE (model text, class text, quantity text, value real, tasks integer)
    LANGUAGE sql STABLE AS $$
    SELECT d.model, a.class, q.quantity, q.value::real, count(*)::integer
    FROM mlinfn.attempt AS a
    JOIN mlinfn.device AS d ON d.node = a.node AND d.device = a.devices[1]
    CROSS JOIN LATERAL (VALUES
        ('cpus_used', ceil(a.cpus_used * 10) / 10),
        ('cpus_asked', a.cpus_asked),
        ('memory_peak_mb', ceil(a.memory_peak_mb / 128.0) * 128),
        ('memory_asked_mb', a.memory_asked_mb)) AS q (quantity, value)
    WHERE a.ended_at >= lo AND a.ended_at < hi AND cardinality(a.devices) = 1
        AND a.cpus_used IS NOT NULL AND a.memory_peak_mb IS NOT NULL
        AND a.cpus_asked IS NOT NULL AND a.memory_asked_mb IS NOT NULL
    GROUP BY d.model, a.class, q.quantity, q.value
$$;

CREATE FUNCTION mlinfn.waits_between(lo timestamptz, hi timestamptz)
    RETURNS TABLE (project text, class text, model text, own boolean, starts integer, wait_s double precision, worst_s double precision)
    LANGUAGE sql STABLE AS $$
    SELECT
        a.project, a.class, coalesce(d.model, ''), coalesce(g.owner_project = a.project, false), count(*)::integer,
        sum(extract(epoch FROM a.started_at - a.submitted_at)), max(extract(epoch FROM a.started_at - a.submitted_at))
    FROM (
        SELECT project, class, node, devices[1] AS device, started_at, submitted_at FROM mlinfn.attempt
        WHERE run = 1 AND started_at >= lo AND started_at < hi AND ended_at >= lo
    ) AS a
    LEFT JOIN mlinfn.device AS d ON d.node = a.node AND d.device = a.device
    LEFT JOIN mlinfn.device_period AS g ON g.node = a.node AND g.device = a.device AND g.during @> a.started_at
    GROUP BY 1, 2, 3, 4
$$;

CREATE FUNCTION mlinfn.device_hours_between(lo timestamptz, hi timestamptz)
    RETURNS TABLE (
        hour timestamptz, node text, device text, measured_s double precision, busy_s double precision,
        energy_s double precision, joules double precision, peak_watts real, peak_memory_mb integer, energy_source "char")
    LANGUAGE sql STABLE AS $$
    SELECT
        date_trunc('hour', s.at - interval '1 microsecond', 'UTC'), s.node, s.device, sum(s.measured_s), coalesce(sum(s.busy_s), 0),
        sum(s.energy_s), coalesce(sum(s.joules), 0), max(s.watts), max(s.memory_mb), max(s.energy_source::text)::"char"
    FROM mlinfn.device_sample AS s
    WHERE s.at > lo AND s.at <= hi
    GROUP BY 1, 2, 3
$$;

CREATE FUNCTION mlinfn.roll_up_day(wanted date) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    lo timestamptz := wanted::timestamp AT TIME ZONE 'UTC';
    hi timestamptz := (wanted + 1)::timestamp AT TIME ZONE 'UTC';
    began timestamptz;
BEGIN
    -- Whoever stores rows of this day marks it, and so waits here or makes us wait: none of its rows is missed.
    PERFORM FROM mlinfn.day_state WHERE day = wanted FOR UPDATE;
    began := clock_timestamp();
    IF (SELECT sums_only FROM mlinfn.day_state WHERE day = wanted) THEN
        UPDATE mlinfn.day_state SET rolled_at = began WHERE day = wanted;
        RETURN;
    END IF;
    DELETE FROM mlinfn.day_use WHERE day = wanted;
    DELETE FROM mlinfn.day_task WHERE day = wanted;
    DELETE FROM mlinfn.day_size WHERE day = wanted;
    DELETE FROM mlinfn.day_wait WHERE day = wanted;
    DELETE FROM mlinfn.hour_demand WHERE hour >= lo AND hour < hi;
    DELETE FROM mlinfn.device_hour WHERE hour >= lo AND hour < hi;
    INSERT INTO mlinfn.day_use SELECT wanted, u.* FROM mlinfn.use_between(lo, hi) AS u;
    INSERT INTO mlinfn.day_task SELECT wanted, t.* FROM mlinfn.tasks_between(lo, hi) AS t;
    INSERT INTO mlinfn.day_size SELECT wanted, s.* FROM mlinfn.sizes_between(lo, hi) AS s;
    INSERT INTO mlinfn.day_wait SELECT wanted, w.* FROM mlinfn.waits_between(lo, hi) AS w;
    INSERT INTO mlinfn.hour_demand SELECT d.* FROM mlinfn.demand_between(lo, hi) AS d;
    INSERT INTO mlinfn.device_hour SELECT h.* FROM mlinfn.device_hours_between(lo, hi) AS h;
    UPDATE mlinfn.day_state SET rolled_at = began WHERE day = wanted;
END $$;
COMMENT ON FUNCTION mlinfn.roll_up_day IS 'Add a day up again, as often as one likes.';

CREATE FUNCTION mlinfn.parts(lo timestamptz, hi timestamptz)
    RETURNS TABLE (day date, whole boolean, from_at timestamptz, to_at timestamptz)
    LANGUAGE sql STABLE AS $$
    SELECT s.day, (s.sums_only OR s.rolled_at > s.changed_at) AND lo <= d.begins AND hi >= d.ends, greatest(lo, d.begins), least(hi, d.ends)
    FROM mlinfn.day_state AS s
    CROSS JOIN LATERAL (  -- not named lo and hi: a column goes before a parameter of its name
        SELECT s.day::timestamp AT TIME ZONE 'UTC' AS begins, (s.day + 1)::timestamp AT TIME ZONE 'UTC' AS ends) AS d
    WHERE d.ends > lo AND d.begins < hi
$$;
COMMENT ON FUNCTION mlinfn.parts IS
'The days of a period in which something ran. whole: the sums of the day can be taken; otherwise its rows are added up anew.';

CREATE FUNCTION mlinfn.use_in(lo timestamptz, hi timestamptz) RETURNS SETOF mlinfn.day_use
    LANGUAGE sql STABLE AS $$
    SELECT u.* FROM mlinfn.parts(lo, hi) AS p JOIN mlinfn.day_use AS u ON u.day = p.day WHERE p.whole
    UNION ALL
    SELECT p.day, u.* FROM mlinfn.parts(lo, hi) AS p
    CROSS JOIN LATERAL mlinfn.use_between(p.from_at, p.to_at) AS u WHERE p.whole IS NOT TRUE
$$;
COMMENT ON FUNCTION mlinfn.use_in IS 'Device seconds of any period, by day, device and who used it.';

CREATE FUNCTION mlinfn.tasks_in(lo timestamptz, hi timestamptz) RETURNS SETOF mlinfn.day_task
    LANGUAGE sql STABLE AS $$
    SELECT t.* FROM mlinfn.parts(lo, hi) AS p JOIN mlinfn.day_task AS t ON t.day = p.day WHERE p.whole
    UNION ALL
    SELECT p.day, t.* FROM mlinfn.parts(lo, hi) AS p
    CROSS JOIN LATERAL mlinfn.tasks_between(p.from_at, p.to_at) AS t WHERE p.whole IS NOT TRUE
$$;
COMMENT ON FUNCTION mlinfn.tasks_in IS 'What people ran in any period, by day.';

CREATE FUNCTION mlinfn.demand_in(lo timestamptz, hi timestamptz) RETURNS SETOF mlinfn.hour_demand
    LANGUAGE sql STABLE AS $$
    SELECT d.* FROM mlinfn.parts(lo, hi) AS p JOIN mlinfn.hour_demand AS d
        ON d.hour >= p.from_at AND d.hour < p.to_at WHERE p.whole
    UNION ALL
    SELECT d.* FROM mlinfn.parts(lo, hi) AS p
    CROSS JOIN LATERAL mlinfn.demand_between(p.from_at, p.to_at) AS d WHERE p.whole IS NOT TRUE
$$;

CREATE FUNCTION mlinfn.sizes_in(lo timestamptz, hi timestamptz) RETURNS SETOF mlinfn.day_size
    LANGUAGE sql STABLE AS $$
    SELECT s.* FROM mlinfn.parts(lo, hi) AS p JOIN mlinfn.day_size AS s ON s.day = p.day WHERE p.whole
    UNION ALL
    SELECT p.day, s.* FROM mlinfn.parts(lo, hi) AS p
    CROSS JOIN LATERAL mlinfn.sizes_between(p.from_at, p.to_at) AS s WHERE p.whole IS NOT TRUE
$$;

CREATE FUNCTION mlinfn.waits_in(lo timestamptz, hi timestamptz) RETURNS SETOF mlinfn.day_wait
    LANGUAGE sql STABLE AS $$
    SELECT w.* FROM mlinfn.parts(lo, hi) AS p JOIN mlinfn.day_wait AS w ON w.day = p.day WHERE p.whole
    UNION ALL
    SELECT p.day, w.* FROM mlinfn.parts(lo, hi) AS p
    CROSS JOIN LATERAL mlinfn.waits_between(p.from_at, p.to_at) AS w WHERE p.whole IS NOT TRUE
$$;

CREATE FUNCTION mlinfn.device_hours_in(lo timestamptz, hi timestamptz) RETURNS SETOF mlinfn.device_hour
    LANGUAGE sql STABLE AS $$
    SELECT h.* FROM mlinfn.parts(lo, hi) AS p JOIN mlinfn.device_hour AS h
        ON h.hour >= p.from_at AND h.hour < p.to_at WHERE p.whole
    UNION ALL
    SELECT h.* FROM mlinfn.parts(lo, hi) AS p
    CROSS JOIN LATERAL mlinfn.device_hours_between(p.from_at, p.to_at) AS h WHERE p.whole IS NOT TRUE
$$;

CREATE FUNCTION mlinfn.granted_between(lo timestamptz, hi timestamptz)
    RETURNS TABLE (node text, device text, model text, owner_project text, given_to text, from_at timestamptz, to_at timestamptz)
    LANGUAGE sql STABLE AS $$
    SELECT p.node, p.device, d.model, p.owner_project, p.given_to, lower(p.during * tstzrange(lo, hi)), upper(p.during * tstzrange(lo, hi))
    FROM mlinfn.device_period AS p
    JOIN mlinfn.device AS d USING (node, device)
    WHERE p.during && tstzrange(lo, hi)
$$;
COMMENT ON FUNCTION mlinfn.granted_between IS 'Devices that were granted in a period, and in which part of it.';
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA mlinfn TO mlinfn_recorder;
