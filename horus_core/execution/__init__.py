"""Execution classes: which there are, and which one runs a node."""
