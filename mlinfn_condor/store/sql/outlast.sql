-- Numbers of transactions that a dump brought along are of the past here, too.
CALL mlinfn_schedule.outlast()
