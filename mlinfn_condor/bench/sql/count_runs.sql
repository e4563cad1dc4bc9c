-- Runs of a schedule that has one, by their state.
SELECT state, count(*) FROM mlinfn_schedule.run GROUP BY state
