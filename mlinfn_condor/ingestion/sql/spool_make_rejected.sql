-- SQLite. What nobody will take.
CREATE TABLE IF NOT EXISTS rejected (id TEXT PRIMARY KEY, row TEXT NOT NULL, reason TEXT NOT NULL)
