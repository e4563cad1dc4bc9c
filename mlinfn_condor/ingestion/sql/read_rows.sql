-- A page of rows as one JSON text.
WITH page AS (SELECT {columns} FROM api.{table} WHERE {where} {order} LIMIT {limit} OFFSET {offset})
SELECT count(*), coalesce(json_agg(page), '[]')::text FROM page
