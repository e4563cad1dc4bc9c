-- SQLite. How many wait, how many were rejected.
SELECT (SELECT count(*) FROM waiting), (SELECT count(*) FROM rejected)
