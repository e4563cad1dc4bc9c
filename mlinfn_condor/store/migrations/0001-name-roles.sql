-- Who may do what: the owner migrates, the recorder writes, reports read. A site gives them passwords or maps of its own.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['mlinfn_recorder', 'mlinfn_reports'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I LOGIN', role);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN NULL;  -- another migration of this server was first
            END;
        END IF;
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA mlinfn TO mlinfn_recorder, mlinfn_reports;
ALTER DEFAULT PRIVILEGES IN SCHEMA mlinfn GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO mlinfn_recorder;
ALTER DEFAULT PRIVILEGES IN SCHEMA mlinfn GRANT SELECT ON TABLES TO mlinfn_reports;
ALTER DEFAULT PRIVILEGES IN SCHEMA mlinfn GRANT USAGE ON SEQUENCES TO mlinfn_recorder;
