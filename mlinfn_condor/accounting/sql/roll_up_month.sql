SELECT mlinfn.roll_up_month(%(month)s)
