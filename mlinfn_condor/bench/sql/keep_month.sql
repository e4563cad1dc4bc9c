SELECT mlinfn.keep_month(%(table)s, %(moment)s)
