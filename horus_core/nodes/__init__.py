"""Nodes: what users write, and what is known of one while it ticks."""
