SELECT file, read_bytes FROM mlinfn.history_cursor WHERE access_point = %(access_point)s AND kind = %(kind)s
