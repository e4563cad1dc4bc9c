-- How many rows a run from one snapshot to the other would get.
SELECT mlinfn_schedule.count_new(%(table)s::regclass, %(since)s::pg_snapshot, %(until)s::pg_snapshot)
