"""What surrounds running nodes: who is present, and what they log."""
