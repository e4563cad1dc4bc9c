"""What people see of the pool in the hub: the page on which they choose, its limits, and who holds what."""
