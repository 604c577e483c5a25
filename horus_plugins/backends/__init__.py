"""The backends that come in the box."""
