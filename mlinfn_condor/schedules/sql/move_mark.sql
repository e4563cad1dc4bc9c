-- What this run did is done: the next one begins there.
UPDATE mlinfn_schedule.schedule SET mark = %(mark)s WHERE number = %(number)s
