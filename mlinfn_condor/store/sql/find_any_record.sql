-- A row if the recorder ever read a history.
SELECT 1 FROM mlinfn.history_cursor LIMIT 1
