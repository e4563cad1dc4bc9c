-- A row if the database has ever been migrated.
SELECT 1 WHERE to_regclass('mlinfn.migration') IS NOT NULL
