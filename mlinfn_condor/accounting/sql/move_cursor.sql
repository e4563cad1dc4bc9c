UPDATE mlinfn.history_cursor
SET read_bytes = %(read_bytes)s, records = records + %(records)s, refused = refused + %(refused)s, read_at = now()
WHERE access_point = %(access_point)s AND kind = %(kind)s AND file = %(file)s
