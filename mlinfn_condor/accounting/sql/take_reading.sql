-- The difference to the last reading of the same counters is a sample; a reading that was stored before changes nothing.
-- `before` is as the statement found it, so nobody else may store a look meanwhile: hold_looks.
WITH before AS (
    SELECT * FROM mlinfn.device_counter WHERE node = %(node)s AND device = %(device)s
),
now AS (
    INSERT INTO mlinfn.device_counter (node, device, counter_start, at, busy_s, measured_s, joules, energy_s)
    VALUES (%(node)s, %(device)s, %(counter_start)s, to_timestamp(%(at)s), %(busy_s)s, %(measured_s)s, %(joules)s, %(energy_s)s)
    ON CONFLICT (node, device) DO UPDATE
    SET counter_start = excluded.counter_start, at = excluded.at, busy_s = excluded.busy_s,
        measured_s = excluded.measured_s, joules = excluded.joules, energy_s = excluded.energy_s
    WHERE device_counter.at < excluded.at
    RETURNING *
),
sample AS (
    INSERT INTO mlinfn.device_sample (
        at, seconds, busy_s, measured_s, joules, energy_s, watts, memory_mb, temperature_c, clock_mhz, processes,
        energy_source, device, node)
    SELECT
        n.at, n.at_s - s.from_s,
        CASE WHEN n.measured_s > coalesce(b.measured_s, 0) THEN n.busy_s - coalesce(b.busy_s, 0) END,
        greatest(0, coalesce(n.measured_s - coalesce(b.measured_s, 0), 0)),
        CASE WHEN n.energy_s > coalesce(b.energy_s, 0) THEN n.joules - coalesce(b.joules, 0) END,
        greatest(0, coalesce(n.energy_s - coalesce(b.energy_s, 0), 0)),
        %(watts)s, %(memory_mb)s, %(temperature_c)s, %(clock_mhz)s, %(processes)s, %(energy_source)s, n.device, n.node
    FROM (SELECT *, extract(epoch FROM at) AS at_s FROM now) AS n
    LEFT JOIN before AS b ON b.counter_start = n.counter_start  -- other counters: all of it is new
    CROSS JOIN LATERAL (SELECT coalesce(extract(epoch FROM b.at), n.counter_start) AS from_s) AS s
    WHERE n.at_s > s.from_s
    ON CONFLICT DO NOTHING
    RETURNING at
)
INSERT INTO mlinfn.day_state (day, changed_at)
SELECT DISTINCT ((at - interval '1 microsecond') AT TIME ZONE 'UTC')::date, clock_timestamp() FROM sample
ON CONFLICT (day) DO UPDATE SET changed_at = clock_timestamp()
