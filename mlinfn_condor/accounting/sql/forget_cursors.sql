DELETE FROM mlinfn.history_cursor
