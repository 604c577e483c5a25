"""Launch files: YAML with positions, checked and resolved to a plan that names every process before one starts."""
