"""Who used what: from the access points' histories and the nodes' readings into PostgreSQL, each attempt exactly once."""
