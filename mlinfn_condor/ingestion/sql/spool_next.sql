-- SQLite. The oldest first.
SELECT id, row FROM waiting ORDER BY place LIMIT :most
