INSERT INTO mlinfn.migration (number, name, sha256) VALUES (%s, %s, %s)
