"""What an execution node is: its devices and the slots they are offered through."""
