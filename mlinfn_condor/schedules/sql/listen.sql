-- Hear of changes of the book and of new rows.
LISTEN mlinfn_schedule
