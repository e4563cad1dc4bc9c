"""Data from instruments: the database contract of PostgREST, a thin front end over it, and a client that loses nothing."""
