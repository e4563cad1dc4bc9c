-- Made before the first migration. IF NOT EXISTS would ask for rights that a mere reader of the state has not.
DO $$
BEGIN
    IF to_regnamespace('mlinfn') IS NULL THEN
        CREATE SCHEMA mlinfn;
    END IF;
    IF to_regclass('mlinfn.migration') IS NULL THEN
        CREATE TABLE mlinfn.migration (
            number integer PRIMARY KEY,
            name text NOT NULL,
            sha256 text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        );
        COMMENT ON TABLE mlinfn.migration IS 'Files of the schema that this database has had, in order';
    END IF;
END
$$
