-- SQLite. A person looks at it.
INSERT OR REPLACE INTO rejected (id, row, reason) VALUES (:id, :row, :reason)
