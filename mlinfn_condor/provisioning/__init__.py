"""Execution nodes that come with demand and leave when idle: demand → plan (pure) → back end."""
