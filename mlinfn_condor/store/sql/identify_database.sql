-- What tells one database from every other, and whether its server can be mirrored from.
SELECT system_identifier::text, current_database(), current_setting('wal_level') FROM pg_control_system()
