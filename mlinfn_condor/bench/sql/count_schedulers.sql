-- Schedulers that act: they listen once they lead.
SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mlinfn schedules'
