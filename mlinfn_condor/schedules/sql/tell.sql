-- Wake the scheduler up.
SELECT pg_notify('mlinfn_schedule', '')
