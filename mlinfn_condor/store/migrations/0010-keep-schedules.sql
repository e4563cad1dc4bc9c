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
