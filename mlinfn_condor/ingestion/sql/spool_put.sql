-- SQLite. A row that was never here.
INSERT OR IGNORE INTO waiting (id, row) SELECT :id, :row
WHERE NOT EXISTS (SELECT 1 FROM taken WHERE id = :id) AND NOT EXISTS (SELECT 1 FROM rejected WHERE id = :id)
