"""Ends sessions in which nothing works any more, after a warning; a service of the hub."""
