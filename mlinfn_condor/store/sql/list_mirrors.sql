-- One row per mirror of this database. behind: bytes that the main server has not confirmed; kept: bytes of the log on
-- this disk because of it.
SELECT
    s.slot_name AS slot,
    s.active,
    coalesce(s.wal_status, 'reserved') AS wal_status,
    greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), s.confirmed_flush_lsn))::bigint AS behind_bytes,
    greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn))::bigint AS kept_bytes
FROM pg_replication_slots s
WHERE s.database = current_database() AND s.plugin = 'pgoutput' AND s.slot_name LIKE 'mlinfn\_%'
ORDER BY s.slot_name
