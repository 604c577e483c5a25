"""Backends: where the rings of topics lie, and what carries messages between processes."""
