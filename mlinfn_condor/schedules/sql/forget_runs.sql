-- History that nobody asks for any more.
DELETE FROM mlinfn_schedule.run
WHERE state NOT IN ('due', 'submitting', 'submitted') AND changed_at < now() - make_interval(days => %(days)s)
