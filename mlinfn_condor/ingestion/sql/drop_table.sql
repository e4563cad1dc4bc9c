-- With all its rows.
DROP TABLE api.{table}
