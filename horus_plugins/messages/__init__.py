"""HORUS."""
