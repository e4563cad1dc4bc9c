-- Work that starts by the clock or by data: who wants what, and each run with what became of it. A schema of its own: it is
-- this site's alone, no mirror carries it, and neither recorder nor reports have a part in it.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mlinfn_schedules') THEN
        BEGIN
            CREATE ROLE mlinfn_schedules LOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;  -- another migration of this server was first
        END;
    END IF;
END $$;

CREATE SCHEMA mlinfn_schedule;
GRANT USAGE ON SCHEMA mlinfn_schedule TO mlinfn_schedules;

CREATE TABLE mlinfn_schedule.schedule (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('cron', 'every', 'rows', 'commits')),
    spec text NOT NULL,
    zone text NOT NULL DEFAULT 'UTC',
    misfire text NOT NULL DEFAULT 'once' CHECK (misfire IN ('skip', 'once', 'all')),
    grace_s integer NOT NULL,
    catch_up integer NOT NULL,
    jitter_s integer NOT NULL DEFAULT 0,
    overlap boolean NOT NULL DEFAULT false,
    retries integer NOT NULL DEFAULT 0,
    retry_s integer NOT NULL,
    least integer NOT NULL DEFAULT 1,
    at_latest_s integer,
    job jsonb NOT NULL,
    added_at timestamptz NOT NULL,
    planned_until timestamptz NOT NULL,
    mark text NOT NULL DEFAULT '',
    removed_at timestamptz
);
CREATE UNIQUE INDEX schedule_name ON mlinfn_schedule.schedule (owner, name) WHERE removed_at IS NULL;
COMMENT ON TABLE mlinfn_schedule.schedule IS 'What is to run again and again. A removed one stays, for the history of its runs.';
COMMENT ON COLUMN mlinfn_schedule.schedule.spec IS 'cron: five fields; every: seconds; rows: schema.table; commits: address and branch.';
COMMENT ON COLUMN mlinfn_schedule.schedule.job IS 'Parameters of submit_templates/training.sub.';
COMMENT ON COLUMN mlinfn_schedule.schedule.planned_until IS 'Each due time up to here has its run, or its misfire rule wanted none.';
COMMENT ON COLUMN mlinfn_schedule.schedule.mark IS 'rows: the snapshot, commits: the commit up to which runs have done their work. It moves when a run is done.';
COMMENT ON COLUMN mlinfn_schedule.schedule.least IS 'rows: so many new ones start a run; at_latest_s: or any, so long after the run before.';

CREATE TABLE mlinfn_schedule.run (
    schedule bigint NOT NULL REFERENCES mlinfn_schedule.schedule,
    due_at timestamptz NOT NULL,
    try integer NOT NULL DEFAULT 0,
    start_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'due' CHECK (state IN
        ('due', 'submitting', 'submitted', 'done', 'failed', 'removed', 'refused', 'skipped')),
    changed_at timestamptz NOT NULL DEFAULT now(),
    cluster integer,
    reason text NOT NULL DEFAULT '',
    since text NOT NULL DEFAULT '',
    until text NOT NULL DEFAULT '',
    PRIMARY KEY (schedule, due_at, try)
);
CREATE INDEX run_open ON mlinfn_schedule.run (schedule) WHERE state IN ('due', 'submitting', 'submitted');
COMMENT ON TABLE mlinfn_schedule.run IS 'One run of a schedule. Key and job mark (MlinfnRun) are the same: a job finds its run, and a run its job.';
COMMENT ON COLUMN mlinfn_schedule.run.start_at IS 'Due time with the jitter, or after the pause before another try.';
COMMENT ON COLUMN mlinfn_schedule.run.state IS 'submitting: a job may be in the queue already; whoever goes on looks for its mark first.';
COMMENT ON COLUMN mlinfn_schedule.run.since IS 'rows and commits: the run is for what came after `since` and up to `until`.';

GRANT SELECT, INSERT, UPDATE ON mlinfn_schedule.schedule, mlinfn_schedule.run TO mlinfn_schedules;
GRANT DELETE ON mlinfn_schedule.run TO mlinfn_schedules;

-- New rows, each in exactly one run. Numbers of a sequence come into sight out of order: a transaction that took 17 may
-- commit after one that took 18, and a cursor at 18 has lost it. So a row carries the transaction that wrote it, and a run
-- goes from one snapshot to another: a snapshot knows which transactions had ended. One that was still open belongs to the
-- later run; nothing waits for it, nothing is lost, nothing comes twice.
CREATE FUNCTION mlinfn_schedule.is_new(written_by xid8, since pg_snapshot, until pg_snapshot) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN written_by >= pg_snapshot_xmin(since) AND written_by < pg_snapshot_xmax(until)  -- what an index can find
        AND NOT pg_visible_in_snapshot(written_by, since) AND pg_visible_in_snapshot(written_by, until);
COMMENT ON FUNCTION mlinfn_schedule.is_new IS 'For jobs: WHERE mlinfn_schedule.is_new(written_by, $MLINFN_SINCE, $MLINFN_UNTIL).';

CREATE FUNCTION mlinfn_schedule.count_new(watched regclass, since pg_snapshot, until pg_snapshot) RETURNS bigint
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    found bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %s WHERE mlinfn_schedule.is_new(written_by, $1, $2)', watched)
        INTO found USING since, until;
    RETURN found;
END $$;

CREATE FUNCTION mlinfn_schedule.tell_of_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('mlinfn_schedule', '');
    RETURN NULL;
END $$;

CREATE FUNCTION mlinfn_schedule.watch(watched regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ADD COLUMN IF NOT EXISTS written_by xid8 NOT NULL DEFAULT pg_current_xact_id()', watched);
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = watched AND tgname = 'mlinfn_tell_of_rows') THEN
        EXECUTE format('CREATE INDEX ON %s (written_by)', watched);
        EXECUTE format('CREATE TRIGGER mlinfn_tell_of_rows AFTER INSERT ON %s
            FOR EACH STATEMENT EXECUTE FUNCTION mlinfn_schedule.tell_of_rows()', watched);
    END IF;
    EXECUTE format('GRANT SELECT (written_by) ON %s TO mlinfn_schedules', watched);
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO mlinfn_schedules',
        (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = watched));
END $$;
COMMENT ON FUNCTION mlinfn_schedule.watch IS
'Called by a table''s owner: its new rows may start runs. The scheduler may count them, and read nothing else of them.';
-- Whoever owns a table or reads it in a job needs these; there is nothing secret in them.
GRANT USAGE ON SCHEMA mlinfn_schedule TO PUBLIC;
