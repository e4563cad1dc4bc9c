"""Inventories of OpenStack: its servers are the grants."""
