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
        username text, project text, class text, node text, device text, owner_project text, outcome text,
        from_at timestamptz, to_at timestamptz, claimed_s double precision, lost_s double precision,
        busy_s double precision, measured_s double precision, joules double precision, energy_s double precision,
        handover_s double precision, cpu_s double precision, ended boolean)
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH cut AS (
        SELECT a.*, d.device, cardinality(a.devices) AS n,
            greatest(a.started_at, lo) AS s, least(a.ended_at, hi) AS e
        FROM mlinfn.attempt_known AS a
        LEFT JOIN LATERAL unnest(a.devices) AS d (device) ON true
        WHERE a.started_at < hi AND a.ended_at >= lo AND (a.ended_at > lo OR a.started_at = a.ended_at)
    ),
    apart AS (  -- who was first keeps the device until it is gone: in a hand-over that is the displaced one
        SELECT c.*, CASE WHEN c.device IS NULL THEN c.s ELSE greatest(c.s, max(c.e) OVER (
            PARTITION BY c.node, c.device ORDER BY c.started_at, c.ended_at, c.cluster, c.proc, c.run, c.access_point
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) END AS first
        FROM cut AS c
    ),
    held AS (
        SELECT p.*, least(p.first, p.e) AS b, extract(epoch FROM p.e - least(p.first, p.e))::double precision AS claimed,
            greatest(0, extract(epoch FROM p.e - greatest(least(p.first, p.e), p.ended_at - make_interval(secs => p.lost_s))))::double precision AS lost
        FROM apart AS p
    )
    SELECT
        h.access_point, h.cluster, h.proc, h.run, h.submitted_at, h.username, h.project, h.class, h.node, h.device,
        CASE WHEN h.device IS NULL THEN NULL ELSE coalesce(g.owner_project, '') END, h.outcome, h.b, h.e, h.claimed, h.lost,
        (h.claimed - h.lost) * least(1, h.devices_busy / h.n),
        CASE WHEN h.devices_busy IS NULL OR h.device IS NULL THEN 0 ELSE h.claimed - h.lost END,
        h.claimed * h.watts / h.n,
        CASE WHEN h.watts IS NULL OR h.device IS NULL THEN 0 ELSE h.claimed END,
        extract(epoch FROM h.b - h.s)::double precision,
        extract(epoch FROM h.e - h.s)::double precision * coalesce(h.cpus, 0) / greatest(h.n, 1),
        h.ended_at < hi AND h.ended_at >= lo AND h.outcome <> 'running'
    FROM held AS h
    LEFT JOIN mlinfn.device_period AS g ON g.node = h.node AND g.device = h.device AND g.during @> h.b
$$;
COMMENT ON FUNCTION mlinfn.holdings IS
'Attempts between two moments, a row for each of their devices (device null: they had none), cut to the window and to the
seconds in which nobody who came earlier still held the device. claimed_s = busy_s + idle + lost_s, where idle is known for
measured_s only. handover_s: seconds the attempt waited for whoever it displaced.';

CREATE TABLE mlinfn.day_state (
    day date PRIMARY KEY,
    changed_at timestamptz NOT NULL,
    rolled_at timestamptz
);
COMMENT ON TABLE mlinfn.day_state IS 'Days (UTC) in which something ran. One that changed after it was rolled up is read from the attempts themselves.';

CREATE TABLE mlinfn.day_use (
    day date NOT NULL,
    node text NOT NULL,
    device text NOT NULL,
    owner_project text NOT NULL,
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
    PRIMARY KEY (day, node, device, owner_project, username, project, class)
);
COMMENT ON TABLE mlinfn.day_use IS 'Device seconds of a day (UTC), by device and by who used it. device empty: attempts without a device.';
COMMENT ON COLUMN mlinfn.day_use.attempts IS 'Attempts that ended in this day; one with several devices counts at each of them.';

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
