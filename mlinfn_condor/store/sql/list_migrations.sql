SELECT number, name, sha256 FROM mlinfn.migration ORDER BY number
