INSERT INTO staged_machine VALUES (%(name)s, tstzrange(%(since)s::timestamptz, %(until)s::timestamptz), %(given_to)s, %(cpus)s, %(memory_mb)s)
