"""Data from instruments: PostgREST's contract, a thin front end over it, and a client that loses nothing."""
