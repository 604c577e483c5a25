"""Parameters: what users set before a run and while it goes on, and what code reads of it in each tick."""
