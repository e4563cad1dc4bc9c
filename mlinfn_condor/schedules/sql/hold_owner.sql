-- Whoever counts an owner's schedules and adds one does so alone, until his transaction ends.
SELECT pg_advisory_xact_lock(hashtext('mlinfn.schedules'), hashtext(%(owner)s))
