-- wal_status "lost": the server was told to limit what it keeps, and threw changes away.
SELECT coalesce(wal_status, 'reserved') FROM pg_replication_slots WHERE slot_name = %s
