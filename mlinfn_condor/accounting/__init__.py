"""Who used what: from histories and the nodes' readings into PostgreSQL, each attempt exactly once."""
