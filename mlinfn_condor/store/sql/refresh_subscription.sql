-- New tables are copied, then kept up to date.
ALTER SUBSCRIPTION {subscription} REFRESH PUBLICATION WITH (copy_data = true)
