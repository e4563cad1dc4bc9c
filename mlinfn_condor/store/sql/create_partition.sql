CREATE TABLE IF NOT EXISTS {partition} PARTITION OF {parent} {bounds} {splits}
