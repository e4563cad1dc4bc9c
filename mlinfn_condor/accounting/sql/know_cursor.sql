INSERT INTO mlinfn.history_cursor (access_point, kind, file, read_bytes)
VALUES (%(access_point)s, %(kind)s, %(file)s, 0)
ON CONFLICT DO NOTHING
