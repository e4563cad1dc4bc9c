SELECT mlinfn.roll_up_day(%(day)s)
