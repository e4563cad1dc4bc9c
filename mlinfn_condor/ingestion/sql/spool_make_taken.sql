-- SQLite. Names of what was taken: a file that is sent once more sends nothing twice.
CREATE TABLE IF NOT EXISTS taken (id TEXT PRIMARY KEY) WITHOUT ROWID
