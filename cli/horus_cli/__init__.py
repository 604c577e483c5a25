"""The `horus` command: one module a noun. It has no logic of its own."""
