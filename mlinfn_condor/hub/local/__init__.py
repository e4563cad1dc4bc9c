"""The hub of an embedded pool: JupyterHub and its proxy, with local accounts, looked after by the pool's own master."""
