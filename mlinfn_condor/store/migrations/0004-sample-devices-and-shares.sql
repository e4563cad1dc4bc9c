-- What the nodes measure, what the negotiator thinks, and what people waited for.

CREATE TABLE mlinfn.device_counter (
    node text NOT NULL,
    device text NOT NULL,
    counter_start bigint NOT NULL,
    at timestamptz NOT NULL,
    busy_s double precision,
    measured_s double precision,
    joules double precision,
    energy_s double precision,
    PRIMARY KEY (node, device)
);
COMMENT ON TABLE mlinfn.device_counter IS 'The last reading of each device''s cumulative counters: the next sample is the difference to it.';

CREATE TABLE mlinfn.device_sample (
    at timestamptz NOT NULL,
    seconds real NOT NULL CHECK (seconds > 0),
    busy_s real,
    measured_s real NOT NULL DEFAULT 0,
    joules real,
    energy_s real NOT NULL DEFAULT 0,
    watts real,
    memory_mb integer,
    temperature_c smallint,
    clock_mhz smallint,
    processes smallint,
    energy_source "char",
    device text NOT NULL,
    node text NOT NULL
) PARTITION BY RANGE (at);
CREATE TABLE mlinfn.device_sample_other PARTITION OF mlinfn.device_sample DEFAULT;
ALTER TABLE mlinfn.device_sample ADD CONSTRAINT device_sample_key PRIMARY KEY (device, at, node);
CREATE INDEX device_sample_time ON mlinfn.device_sample USING brin (at) WITH (pages_per_range = 32);
COMMENT ON TABLE mlinfn.device_sample IS 'What a device did in the seconds before `at`.';
COMMENT ON COLUMN mlinfn.device_sample.busy_s IS 'Seconds of computing within measured_s. Null: not measured.';
COMMENT ON COLUMN mlinfn.device_sample.measured_s IS 'Seconds for which its utilisation is known; energy_s: its energy.';
COMMENT ON COLUMN mlinfn.device_sample.energy_source IS 'c: the device''s own energy counter; i: integrated power; s: simulated.';

CREATE TABLE mlinfn.submitter_sample (
    at timestamptz NOT NULL,
    submitter text NOT NULL,
    effective_priority double precision NOT NULL,
    priority_factor double precision,
    weighted_use_s double precision,
    devices_weighted real,
    PRIMARY KEY (submitter, at)
);
COMMENT ON TABLE mlinfn.submitter_sample IS 'What condor_userprio shows, each time it changed, at most once an hour.';

CREATE TABLE mlinfn.spawn (
    clicked_at timestamptz NOT NULL,
    username text NOT NULL,
    server text NOT NULL,
    project text NOT NULL DEFAULT '',
    model text NOT NULL DEFAULT '',
    job text NOT NULL DEFAULT '',
    started_at timestamptz,
    ready_at timestamptz,
    outcome text NOT NULL CHECK (outcome IN ('ready', 'failed', 'stopped')),
    reason text NOT NULL DEFAULT '',
    PRIMARY KEY (username, server, clicked_at)
);
COMMENT ON TABLE mlinfn.spawn IS 'Sessions as people met them: from the click to the server that answers.';
COMMENT ON COLUMN mlinfn.spawn.model IS 'Device model that was asked for; empty: none.';
