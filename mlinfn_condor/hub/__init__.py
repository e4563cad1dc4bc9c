"""JupyterHub on the pool: every session of a user is an HTCondor job, and the hub tells only what the pool knows."""
