SELECT mlinfn.keep_month('job', month)
FROM (SELECT DISTINCT date_trunc('month', to_timestamp(left_queue), 'UTC') AS month FROM staged_job) AS months
