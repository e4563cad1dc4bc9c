-- All rows that a page is of.
SELECT count(*) FROM api.{table} WHERE {where}
