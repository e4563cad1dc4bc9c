-- Which transactions have ended: where new rows end now.
SELECT pg_current_snapshot()::text
