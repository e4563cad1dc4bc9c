"""A window on the pool: who has which device, who waits, my jobs, reports; pages that follow by themselves."""
