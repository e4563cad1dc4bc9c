ALTER SUBSCRIPTION {subscription} CONNECTION {connection}
