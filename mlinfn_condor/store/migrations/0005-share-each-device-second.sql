-- Who held which device when: each second of a device belongs to at most one attempt.

CREATE VIEW mlinfn.attempt_known AS
SELECT
    access_point, cluster, proc, run, submitted_at, started_at, ended_at, username, project, class, node, slot, task,
    devices, cpus, memory_mb, devices_busy, watts, lost_s, outcome
FROM mlinfn.attempt
UNION ALL
SELECT
    access_point, cluster, proc, 0, submitted_at, started_at, greatest(seen_at, started_at), username, project, class, node, slot, '',
    devices, cpus, memory_mb, devices_busy, watts, 0, 'running'
FROM mlinfn.running;
COMMENT ON VIEW mlinfn.attempt_known IS 'Attempts that ended, and those that run, up to the last look at them.';

CREATE FUNCTION mlinfn.holdings(lo timestamptz, hi timestamptz)
    RETURNS TABLE (
        access_point text, cluster integer, proc integer, run integer, submitted_at timestamptz,
        username text, project text, class text, task text, node text, device text, owner_project text, given_to text,
        granted boolean, outcome text,
        from_at timestamptz, to_at timestamptz, claimed_s double precision, lost_s double precision,
        busy_s double precision, measured_s double precision, joules double precision, energy_s double precision,
        handover_s double precision, cpu_s double precision, ended boolean)
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH cut AS (
        SELECT a.*, d.device, cardinality(a.devices) AS n, coalesce(d.place, 1) = 1 AS counts,
            greatest(a.started_at, lo) AS s, least(a.ended_at, hi) AS e
        FROM mlinfn.attempt_known AS a
        LEFT JOIN LATERAL unnest(a.devices) WITH ORDINALITY AS d (device, place) ON true
        WHERE a.started_at < hi AND a.ended_at >= lo
    ),
    apart AS (  -- who was first keeps the device until it is gone: in a hand-over that is the displaced one
        SELECT c.*, CASE WHEN c.device IS NULL THEN c.s ELSE greatest(c.s, max(c.e) OVER (
            PARTITION BY c.node, c.device ORDER BY c.started_at, c.ended_at, c.cluster, c.proc, c.run, c.access_point
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) END AS first
        FROM cut AS c
    ),
    held AS (
        SELECT p.*, least(p.first, p.e) AS b, p.ended_at - make_interval(secs => p.lost_s) AS lost_from FROM apart AS p
    ),
    periods AS (  -- each device's whole window: what was granted of it, and what was not
        SELECT g.node, g.device, g.owner_project, g.given_to, true AS granted,
            lower(g.during) AS begins_at, upper(g.during) AS ends_at
        FROM mlinfn.device_period AS g WHERE g.during && tstzrange(lo, hi)
        UNION ALL
        SELECT g.node, g.device, '', '', false, lower(r.gap), upper(r.gap)
        FROM (
            SELECT node, device, tstzmultirange(tstzrange(NULL, NULL)) - range_agg(during) AS gaps
            FROM mlinfn.device_period WHERE during && tstzrange(lo, hi) GROUP BY node, device) AS g
        CROSS JOIN LATERAL unnest(g.gaps) AS r (gap)
    ),
    parted AS (  -- a holding that goes on while its device changes hands is one row for each of them
        SELECT h.*, coalesce(p.owner_project, '') AS owner_project, coalesce(p.given_to, '') AS given_to,
            coalesce(p.granted, false) AS granted,
            greatest(h.b, p.begins_at) AS pb, least(h.e, p.ends_at) AS pe,
            coalesce(p.begins_at <= h.b, true) AS begins, coalesce(p.ends_at >= h.e, true) AS ends
        FROM held AS h
        LEFT JOIN periods AS p ON p.node = h.node AND p.device = h.device
            AND coalesce(p.begins_at <= h.b, true) AND coalesce(p.ends_at > h.b, true)
            OR p.node = h.node AND p.device = h.device AND p.begins_at > h.b AND p.begins_at < h.e
    ),
    seconds AS (
        SELECT p.*, extract(epoch FROM p.pe - p.pb)::double precision AS claimed,
            greatest(0, extract(epoch FROM p.pe - greatest(p.pb, p.lost_from)))::double precision AS lost
        FROM parted AS p
    )
    SELECT
        h.access_point, h.cluster, h.proc, h.run, h.submitted_at, h.username, h.project, h.class, h.task, h.node, h.device,
        CASE WHEN h.device IS NOT NULL THEN h.owner_project END, h.given_to, h.granted, h.outcome, h.pb, h.pe,
        h.claimed, h.lost,
        CASE WHEN h.devices_busy IS NOT NULL AND h.device IS NOT NULL  -- least() would pass a null over
            THEN (h.claimed - h.lost) * least(1, h.devices_busy / h.n) END,
        CASE WHEN h.devices_busy IS NULL OR h.device IS NULL THEN 0 ELSE h.claimed - h.lost END,
        h.claimed * h.watts / nullif(h.n, 0),
        CASE WHEN h.watts IS NULL OR h.device IS NULL THEN 0 ELSE h.claimed END,
        CASE WHEN h.begins THEN extract(epoch FROM h.b - h.s) ELSE 0 END::double precision,
        extract(epoch FROM h.pe - CASE WHEN h.begins THEN h.s ELSE h.pb END)::double precision
            * coalesce(h.cpus, 0) / greatest(h.n, 1),
        h.counts AND h.ends AND h.ended_at < hi AND h.ended_at >= lo AND h.outcome <> 'running'
    FROM seconds AS h
$$;
COMMENT ON FUNCTION mlinfn.holdings IS
'Attempts between two moments, a row for each of their devices (device null: they had none), cut to the window, to the
seconds in which nobody who came earlier still held the device, and to the periods of device_period (granted false: none).
claimed_s = busy_s + idle + lost_s, where idle is known for measured_s only. handover_s: seconds the attempt waited for
whoever it displaced. ended: true in one row of each attempt that ended in the window.';

CREATE TABLE mlinfn.day_state (
    day date PRIMARY KEY,
    changed_at timestamptz NOT NULL,
    rolled_at timestamptz,
    sums_only boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE mlinfn.day_state IS 'Days (UTC) in which something ran. One that changed after it was rolled up is read from the attempts themselves.';
COMMENT ON COLUMN mlinfn.day_state.sums_only IS 'Its rows were dropped: the sums are all there is, and what comes later leaves them alone.';

CREATE TABLE mlinfn.day_use (
    day date NOT NULL,
    node text NOT NULL,
    device text NOT NULL,
    owner_project text NOT NULL,
    given_to text NOT NULL,
    granted boolean NOT NULL,
    username text NOT NULL,
    project text NOT NULL,
    class text NOT NULL,
    attempts integer NOT NULL,
    displaced integer NOT NULL,
    failed integer NOT NULL,
    claimed_s double precision NOT NULL,
    lost_s double precision NOT NULL,
    busy_s double precision NOT NULL,
    measured_s double precision NOT NULL,
    joules double precision NOT NULL,
    energy_s double precision NOT NULL,
    handover_s double precision NOT NULL,
    cpu_s double precision NOT NULL,
    PRIMARY KEY (day, node, device, owner_project, given_to, granted, username, project, class)
);
COMMENT ON TABLE mlinfn.day_use IS 'Device seconds of a day (UTC), by device and by who used it. device empty: attempts without a device.';
COMMENT ON COLUMN mlinfn.day_use.attempts IS 'Attempts that ended in this day; one with several devices counts at its first.';
COMMENT ON COLUMN mlinfn.day_use.granted IS 'False: these seconds lie in no period of device_period.';

CREATE TABLE mlinfn.day_task (
    day date NOT NULL,
    task text NOT NULL,
    username text NOT NULL,
    project text NOT NULL,
    class text NOT NULL,
    attempts integer NOT NULL,
    claimed_s double precision NOT NULL,
    PRIMARY KEY (day, task, username, project, class)
);
COMMENT ON TABLE mlinfn.day_task IS 'What people ran in a day (UTC): device seconds by the task that their submits name.';

CREATE TABLE mlinfn.hour_demand (
    hour timestamptz NOT NULL,
    class text NOT NULL,
    model text NOT NULL,
    users integer NOT NULL,
    attempts integer NOT NULL,
    devices integer NOT NULL,
    PRIMARY KEY (hour, class, model)
);
COMMENT ON TABLE mlinfn.hour_demand IS 'The most that ran at the same moment within an hour: users, attempts, devices. model empty: without a device.';

CREATE TABLE mlinfn.day_size (
    day date NOT NULL,
    model text NOT NULL,
    class text NOT NULL,
    quantity text NOT NULL CHECK (quantity IN ('cpus_used', 'cpus_asked', 'memory_peak_mb', 'memory_asked_mb')),
    value real NOT NULL,
    tasks integer NOT NULL,
    PRIMARY KEY (day, model, class, quantity, value)
);
COMMENT ON TABLE mlinfn.day_size IS 'How many one-device attempts used or asked for how much; cores rounded up to tenths, memory to 128 MiB.';

CREATE TABLE mlinfn.day_wait (
    day date NOT NULL,
    project text NOT NULL,
    class text NOT NULL,
    model text NOT NULL,
    own boolean NOT NULL,
    starts integer NOT NULL,
    wait_s double precision NOT NULL,
    worst_s double precision NOT NULL,
    PRIMARY KEY (day, project, class, model, own)
);
COMMENT ON TABLE mlinfn.day_wait IS 'Seconds from submit to the first start. own: on a device of the project itself.';

CREATE TABLE mlinfn.device_hour (
    hour timestamptz NOT NULL,
    node text NOT NULL,
    device text NOT NULL,
    measured_s double precision NOT NULL,
    busy_s double precision NOT NULL,
    energy_s double precision NOT NULL,
    joules double precision NOT NULL,
    peak_watts real,
    peak_memory_mb integer,
    energy_source "char",
    PRIMARY KEY (hour, node, device)
);
COMMENT ON TABLE mlinfn.device_hour IS 'What a device measured in an hour, claimed or not.';
