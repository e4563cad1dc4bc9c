-- One `mlinfn db mirror` at a time per site's database. The number is "mirror" in ASCII.
SELECT pg_advisory_lock(120299659095922)
