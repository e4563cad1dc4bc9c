-- One migrator at a time per database; the lock goes with the connection, also when the program is killed.
-- The number is "mlinfn" in ASCII.
SELECT pg_advisory_lock(120312392738414)
