"""Who may use the hub: accounts with an end, sign-in elsewhere, and membership of projects as the pool sees it."""
