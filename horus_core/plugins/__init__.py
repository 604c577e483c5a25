"""Extension points and the loading of plugins."""
