SELECT mlinfn.keep_month('attempt', month)
FROM (SELECT DISTINCT date_trunc('month', to_timestamp(ended), 'UTC') AS month FROM staged_attempt) AS months
