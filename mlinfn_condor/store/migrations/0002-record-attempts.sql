-- What ran: a row per execution attempt, a row per job that left its queue, and where the reader of the files stands.

CREATE TABLE mlinfn.history_cursor (
    access_point text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('epoch', 'history', 'starts')),
    file text NOT NULL,
    read_bytes bigint NOT NULL,
    records bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0,
    read_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (access_point, kind, file)
);
COMMENT ON TABLE mlinfn.history_cursor IS 'How far each history file has been read. Moves in the transaction that stores its rows.';
COMMENT ON COLUMN mlinfn.history_cursor.file IS 'Fingerprint of the file''s first record: the same after a rotation renamed it.';

CREATE TABLE mlinfn.refused_record (
    access_point text NOT NULL,
    kind text NOT NULL,
    file text NOT NULL,
    at_byte bigint NOT NULL,
    reason text NOT NULL,
    record text NOT NULL,
    PRIMARY KEY (access_point, kind, file, at_byte)
);
COMMENT ON TABLE mlinfn.refused_record IS 'Records of a history that could not be understood, as they stood there.';

CREATE TABLE mlinfn.attempt (
    ended_at timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    submitted_at timestamptz NOT NULL,
    cluster integer NOT NULL,
    proc integer NOT NULL,
    run integer NOT NULL,
    exit_code integer,
    memory_mb integer,
    memory_asked_mb integer,
    memory_peak_mb integer,
    device_memory_peak_mb integer,
    cpus real,
    cpus_asked real,
    cpus_used real,
    devices_busy real,
    watts real,
    lost_s real NOT NULL DEFAULT 0,
    outcome text NOT NULL
        CHECK (outcome IN ('completed', 'failed', 'displaced', 'removed', 'vanished')),
    access_point text NOT NULL,
    username text NOT NULL,
    project text NOT NULL,
    class text NOT NULL,
    node text NOT NULL,
    slot text NOT NULL,
    task text NOT NULL DEFAULT '',
    devices text[] NOT NULL DEFAULT '{}',
    reason text,
    CHECK (ended_at >= started_at),
    CHECK (lost_s >= 0)
) PARTITION BY RANGE (ended_at);
CREATE TABLE mlinfn.attempt_other PARTITION OF mlinfn.attempt DEFAULT;
ALTER TABLE mlinfn.attempt
    ADD CONSTRAINT attempt_key PRIMARY KEY (cluster, proc, run, submitted_at, access_point, ended_at);
CREATE INDEX attempt_time ON mlinfn.attempt USING brin (started_at timestamptz_minmax_multi_ops, ended_at timestamptz_minmax_multi_ops)
    WITH (pages_per_range = 16);
CREATE INDEX attempt_vanished ON mlinfn.attempt (cluster, proc) WHERE outcome = 'vanished';
COMMENT ON TABLE mlinfn.attempt IS 'One execution attempt: a job on a slot from its start to its end. Displaced jobs have several.';
COMMENT ON COLUMN mlinfn.attempt.run IS 'NumShadowStarts: counts the starts of this job from 1.';
COMMENT ON COLUMN mlinfn.attempt.cpus IS 'Cores that the slot had; memory_mb its memory.';
COMMENT ON COLUMN mlinfn.attempt.cpus_asked IS 'Cores that the user asked for, before the pool rounded them to a standard shape.';
COMMENT ON COLUMN mlinfn.attempt.cpus_used IS 'Average cores in use. Null: not measured.';
COMMENT ON COLUMN mlinfn.attempt.memory_peak_mb IS 'Largest resident memory, MiB. Null: not measured.';
COMMENT ON COLUMN mlinfn.attempt.devices_busy IS 'Average number of its devices that were computing. Null: not measured.';
COMMENT ON COLUMN mlinfn.attempt.watts IS 'Average power of all its devices. Null: not measured.';
COMMENT ON COLUMN mlinfn.attempt.lost_s IS 'Seconds of work that nobody has: since the last checkpoint of an attempt that failed or left nothing behind.';
COMMENT ON COLUMN mlinfn.attempt.devices IS 'Ids of its devices on its node; empty: none.';
COMMENT ON COLUMN mlinfn.attempt.outcome IS 'vanished: it was seen running, and no record of its end ever came.';

CREATE TABLE mlinfn.job (
    left_at timestamptz NOT NULL,
    submitted_at timestamptz NOT NULL,
    cluster integer NOT NULL,
    proc integer NOT NULL,
    starts integer NOT NULL,
    exit_code integer,
    run_s real NOT NULL,
    status text NOT NULL CHECK (status IN ('completed', 'removed')),
    access_point text NOT NULL,
    username text NOT NULL,
    project text NOT NULL,
    class text NOT NULL,
    reason text
) PARTITION BY RANGE (left_at);
CREATE TABLE mlinfn.job_other PARTITION OF mlinfn.job DEFAULT;
ALTER TABLE mlinfn.job ADD CONSTRAINT job_key PRIMARY KEY (cluster, proc, submitted_at, access_point, left_at);
COMMENT ON TABLE mlinfn.job IS 'One job that has left its queue; its attempts are in attempt.';
COMMENT ON COLUMN mlinfn.job.run_s IS 'RemoteWallClockTime: seconds of all its attempts as the schedd counts them.';

CREATE TABLE mlinfn.running (
    access_point text NOT NULL,
    cluster integer NOT NULL,
    proc integer NOT NULL,
    submitted_at timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    gone_at timestamptz,
    cpus real,
    memory_mb integer,
    devices_busy real,
    watts real,
    username text NOT NULL,
    project text NOT NULL,
    class text NOT NULL,
    node text NOT NULL,
    slot text NOT NULL,
    devices text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (access_point, cluster, proc, submitted_at, started_at)
);
COMMENT ON TABLE mlinfn.running IS 'Attempts seen in the slots whose record is not there yet: what runs now, and what ended a moment ago.';
COMMENT ON COLUMN mlinfn.running.gone_at IS 'First look at which it was not there any more. Without a record within the lease it becomes a vanished attempt.';

CREATE FUNCTION mlinfn.keep_month(table_name text, moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    first date := date_trunc('month', moment AT TIME ZONE 'UTC')::date;
    part text := format('%s_%s', table_name, to_char(first, 'YYYY_MM'));
BEGIN
    IF table_name NOT IN ('attempt', 'job', 'device_sample') THEN
        RAISE EXCEPTION 'mlinfn.% is not kept by month', table_name;
    END IF;
    IF to_regclass(format('mlinfn.%I', part)) IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtext('mlinfn.keep_month'));
        EXECUTE format(
            'CREATE TABLE IF NOT EXISTS mlinfn.%I PARTITION OF mlinfn.%I FOR VALUES FROM (%L) TO (%L)',
            part, table_name, first::timestamp AT TIME ZONE 'UTC', (first + interval '1 month') AT TIME ZONE 'UTC');
    END IF;
END $$;
COMMENT ON FUNCTION mlinfn.keep_month IS 'Make the partition of the month that holds this moment. SECURITY DEFINER: the recorder owns no table.';
REVOKE ALL ON FUNCTION mlinfn.keep_month FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mlinfn.keep_month TO mlinfn_recorder;

CREATE FUNCTION mlinfn.drop_months(table_name text, before timestamptz) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    part regclass;
    name text;
    month_end date;
BEGIN
    IF table_name NOT IN ('attempt', 'job', 'device_sample') THEN
        RAISE EXCEPTION 'mlinfn.% is not kept by month', table_name;
    END IF;
    FOR part IN
        SELECT inhrelid::regclass FROM pg_inherits
        WHERE inhparent = format('mlinfn.%I', table_name)::regclass
            AND inhrelid::regclass::text ~ '_\d{4}_\d{2}$'
            AND to_date(right(inhrelid::regclass::text, 7), 'YYYY_MM') + interval '1 month' <= before
    LOOP
        name := part::text;  -- once it is dropped, it has none
        month_end := to_date(right(name, 7), 'YYYY_MM') + interval '1 month';
        EXECUTE format('DROP TABLE %s', part);
        UPDATE mlinfn.day_state SET sums_only = true WHERE day < month_end AND NOT sums_only;
        RETURN NEXT name;
    END LOOP;
END $$;
COMMENT ON FUNCTION mlinfn.drop_months IS 'Retention: drop the months that ended before this moment; what was rolled up from them stays.';
REVOKE ALL ON FUNCTION mlinfn.drop_months FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mlinfn.drop_months TO mlinfn_recorder;
