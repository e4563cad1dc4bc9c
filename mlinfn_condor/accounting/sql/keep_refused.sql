INSERT INTO mlinfn.refused_record (access_point, kind, file, at_byte, reason, record)
VALUES (%(access_point)s, %(kind)s, %(file)s, %(at_byte)s, %(reason)s, %(record)s)
ON CONFLICT DO NOTHING
