SELECT mlinfn.drop_months(%(table)s, now() - make_interval(months => %(months)s))
