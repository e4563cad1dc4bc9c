SELECT day FROM mlinfn.day_state WHERE rolled_at IS NULL OR rolled_at <= changed_at ORDER BY day
