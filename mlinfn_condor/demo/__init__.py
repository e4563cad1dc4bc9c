"""`mlinfn demo`: the main job from beginning to end, told while it happens; each line comes from an event."""
