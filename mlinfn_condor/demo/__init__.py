"""The main job, shown from end to end on a real pool."""
