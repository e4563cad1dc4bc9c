-- What there is to use: devices as the pool shows them, and what was granted outside of its sight.
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE mlinfn.device (
    node text NOT NULL,
    device text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('gpu', 'fpga')),
    model text NOT NULL,
    simulated boolean NOT NULL DEFAULT false,
    PRIMARY KEY (node, device)
);
COMMENT ON TABLE mlinfn.device IS 'Every device that was ever known, under the id that its node gives it.';

CREATE TABLE mlinfn.device_period (
    node text NOT NULL,
    device text NOT NULL,
    during tstzrange NOT NULL CHECK (NOT isempty(during)),
    owner_project text NOT NULL DEFAULT '',
    given_to text NOT NULL DEFAULT '',
    source text NOT NULL,
    PRIMARY KEY (node, device, during),
    FOREIGN KEY (node, device) REFERENCES mlinfn.device,
    EXCLUDE USING gist (node WITH =, device WITH =, during WITH &&)
);
COMMENT ON TABLE mlinfn.device_period IS 'When a device was granted to the platform, and whose it was. Periods of one device never overlap.';
COMMENT ON COLUMN mlinfn.device_period.owner_project IS 'The project that paid for it; empty: the platform''s own.';
COMMENT ON COLUMN mlinfn.device_period.given_to IS 'A project that has it for itself, as a VM or a server on loan, outside of the pool; empty: the pool''s.';
COMMENT ON COLUMN mlinfn.device_period.source IS 'pool: seen in its slot ads; otherwise the imported inventory.';

CREATE TABLE mlinfn.machine_grant (
    source text NOT NULL,
    name text NOT NULL,
    during tstzrange NOT NULL CHECK (NOT isempty(during)),
    given_to text NOT NULL DEFAULT '',
    cpus integer,
    memory_mb integer,
    PRIMARY KEY (source, name, during),
    EXCLUDE USING gist (source WITH =, name WITH =, during WITH &&)
);
COMMENT ON TABLE mlinfn.machine_grant IS 'Nodes and VMs of imported inventories, with or without devices.';

CREATE TABLE mlinfn.event (
    at timestamptz NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    detail text NOT NULL DEFAULT '',
    PRIMARY KEY (at, kind, subject)
);
COMMENT ON TABLE mlinfn.event IS 'What happened to the platform itself: nodes that came and went, devices withdrawn, nodes provisioned.';
