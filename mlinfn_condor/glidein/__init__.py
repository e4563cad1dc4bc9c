"""An execution node that comes with demand: a startd, told by its environment what it is, which leaves by itself."""
