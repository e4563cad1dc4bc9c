"""People, projects and their numbers: one register, filled by the hub's accounts and by files, rendered for pods."""
