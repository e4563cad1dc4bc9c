"""The product's own services under one runner: each a process, restarted when it ends, ended together."""
