-- SQLite. It waits no more.
DELETE FROM waiting WHERE id = :id
