SELECT mlinfn.keep_month('device_sample', to_timestamp(%(at)s))
