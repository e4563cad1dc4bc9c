-- SQLite. It was taken.
INSERT OR IGNORE INTO taken (id) VALUES (:id)
