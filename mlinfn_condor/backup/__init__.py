"""Backups that restore: homes, database, queues and configuration as one point in time, by restic."""
